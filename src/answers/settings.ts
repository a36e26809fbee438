/** The inputs of every answer: the settings of this proxy, and the request that is answered. */
import type { RequestFacts, Target } from '../flow.ts';
import type { ContextPayload } from './context.ts';
import type { Language } from './phrases.ts';

export interface Company {
  readonly name: string;
  /** A mail address, a web page, or plain text; null if there is none. */
  readonly contact: string | null;
  /** `#rrggbb`; absent: our default. */
  readonly colour?: string | null;
  /** An image as a `data:` URL; absent: our logo. */
  readonly logo?: string | null;
}

export interface AnswerSettings {
  /** The proxy's name in `Proxy-Status`. */
  readonly viaName: string;
  readonly company: Company;
  /** Public base URL of the pages port, without a trailing slash. */
  readonly pagesUrl: string;
  /** Signs the context passed to the assistant. `now` is in epoch milliseconds. */
  readonly sign: (payload: ContextPayload, now: number) => string;
  /** IANA time zone of displayed dates; absent: the machine's. */
  readonly timeZone?: string | undefined;
  /** The language of pages if the browser requests no supported one; absent: English. */
  readonly language?: Language;
}

/** The request that is answered. */
export interface About {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly target: Target;
  /** Null for a CONNECT. */
  readonly facts: RequestFacts | null;
}

/** The request that failed; `target` is null if it could not be parsed. */
export type Failed = Omit<About, 'target'> & { readonly target: Target | null };

/** The page with the details of a block. */
export function detailsUrl(settings: AnswerSettings, id: string): string {
  return `${settings.pagesUrl}/blocked/${id}`;
}
