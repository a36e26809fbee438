/** What every answer is made from: who answers for whom, and what is answered. */
import type { RequestFacts, Target } from '../flow.ts';
import type { ContextPayload } from './context.ts';
import type { Language } from './phrases.ts';

export interface Company {
  readonly name: string;
  /** Where people ask: a mail address, a web page, or words; null where there is none. */
  readonly contact: string | null;
  /** `#rrggbb`; absent: our own. */
  readonly colour?: string | null;
  /** A picture as a `data:` URL; absent: our mark. */
  readonly logo?: string | null;
}

export interface AnswerSettings {
  /** The proxy's name in `Proxy-Status`. */
  readonly viaName: string;
  readonly company: Company;
  /** Public base URL of the pages port, without a slash at its end. */
  readonly pagesUrl: string;
  /** Signs what goes along to the assistant. `now` is in epoch milliseconds. */
  readonly sign: (payload: ContextPayload, now: number) => string;
  /** IANA time zone of the dates that people read; absent: the machine's. */
  readonly timeZone?: string | undefined;
  /** What pages are in where a browser asks for no language that they are written in; absent: English. */
  readonly language?: Language;
}

/** What is answered. */
export interface About {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly target: Target;
  /** Null at a CONNECT. */
  readonly facts: RequestFacts | null;
}

/** What failed; `target` is null where none was understood. */
export type Failed = Omit<About, 'target'> & { readonly target: Target | null };

/** Where people read more about a block. */
export function detailsUrl(settings: AnswerSettings, id: string): string {
  return `${settings.pagesUrl}/blocked/${id}`;
}
