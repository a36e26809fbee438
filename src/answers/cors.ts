/**
 * CORS fields, which let a web page's script read our answer (Fetch standard, section 3.2). Values are echoed from the
 * request if they are well-formed, since `*` does not work with credentials.
 */
import type { RequestFacts } from '../flow.ts';
import { headerOf } from './dialect.ts';

const originForm = /^(?:null|[a-z][a-z0-9+.-]{0,31}:\/\/[\w.:[\]%-]{1,300})$/i;
const methodForm = /^[A-Za-z]{1,32}$/;
const namesForm = /^[\w!#$%&'*+.^`|~, -]{1,2048}$/;

/** The `Origin` of the request, or null if it is absent or malformed. */
export function originOf(facts: RequestFacts): string | null {
  const origin = headerOf(facts, 'origin');
  return originForm.test(origin) ? origin : null;
}

export function isPreflight(facts: RequestFacts): boolean {
  return facts.method === 'OPTIONS' && headerOf(facts, 'access-control-request-method') !== '';
}

/** Fields for an answer that scripts may read. */
export function readableBy(facts: RequestFacts): Record<string, string> {
  const origin = originOf(facts);
  if (origin === null) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': 'Proxy-Status, X-Proxy-Error, X-Sallyport-Id',
  };
}

/** Fields for a preflight, which must succeed for the denial behind it to be readable. It is not cached. */
export function preflightHeaders(facts: RequestFacts): Record<string, string> {
  const method = headerOf(facts, 'access-control-request-method');
  const names = headerOf(facts, 'access-control-request-headers');
  return {
    ...readableBy(facts),
    ...(methodForm.test(method) ? { 'Access-Control-Allow-Methods': method } : {}),
    ...(namesForm.test(names) ? { 'Access-Control-Allow-Headers': names } : {}),
    'Access-Control-Max-Age': '0',
  };
}
