/** Header fields common to all answers of the proxy, and constructors for answers of each content type. */
import { errors } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Answer } from '../flow.ts';
import type { Page } from './layout.ts';
import { ascii, fieldString, httpDate } from './text.ts';

/** Maximum characters of `details` in `Proxy-Status`. */
const DETAILS = 400;

export interface HeaderFacts {
  readonly viaName: string;
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly code: ErrorCode;
  /** One line for a person reading the headers. */
  readonly details: string;
}

/**
 * `Date` is always set: the AWS SDKs correct their clock by it, and retry when it differs. `no-store`, because 451 is
 * cacheable by default (RFC 7725, section 3).
 */
export function commonHeaders({ viaName, id, at, code, details }: HeaderFacts): Record<string, string> {
  return {
    Date: httpDate(at),
    'Proxy-Status': `${proxyName(viaName)}; error=${errors[code].proxyStatus}; details=${fieldString(details, DETAILS)}`,
    'X-Proxy-Error': code,
    'X-Sallyport-Id': ascii(id, 64),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  };
}

/** A token or a string (RFC 9209, section 2; RFC 9651, sections 3.3.3 and 3.3.4). */
function proxyName(name: string): string {
  return /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/.test(name) ? name : fieldString(name, 100);
}

type Head = Pick<Answer, 'name' | 'status' | 'reason' | 'headers'>;

export function emptyAnswer(head: Head): Answer {
  return { ...head, body: Buffer.alloc(0) };
}

export function textAnswer(head: Head, text: string): Answer {
  const headers = { ...head.headers, 'Content-Type': 'text/plain; charset=utf-8' };
  return { ...head, headers, body: Buffer.from(`${text}\n`) };
}

/** `application/json` without parameters: some SDKs compare the whole field. */
export function jsonAnswer(head: Head, value: object): Answer {
  const headers = { ...head.headers, 'Content-Type': 'application/json' };
  return { ...head, headers, body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

export function htmlAnswer(head: Head, page: Page): Answer {
  const headers = {
    ...head.headers,
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': page.csp,
    'Content-Language': page.language,
    'Referrer-Policy': 'no-referrer',
    ...(page.refresh === null ? {} : { Refresh: page.refresh }),
  };
  return { ...head, headers, body: Buffer.from(page.html) };
}
