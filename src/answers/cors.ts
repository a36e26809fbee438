/**
 * What lets the script of a web page read our answer (Fetch standard, section 3.2). Only what the request said is
 * echoed, and only where it has the form that the standard gives it: never `*`, which forbids credentials.
 */
import type { RequestFacts } from '../flow.ts';
import { headerOf } from './dialect.ts';

const originForm = /^(?:null|[a-z][a-z0-9+.-]{0,31}:\/\/[\w.:[\]%-]{1,300})$/i;
const methodForm = /^[A-Za-z]{1,32}$/;
const namesForm = /^[\w!#$%&'*+.^`|~, -]{1,2048}$/;

/** The origin that asks, or null where there is none or it is not one. */
export function originOf(facts: RequestFacts): string | null {
  const origin = headerOf(facts, 'origin');
  return originForm.test(origin) ? origin : null;
}

export function isPreflight(facts: RequestFacts): boolean {
  return facts.method === 'OPTIONS' && headerOf(facts, 'access-control-request-method') !== '';
}

/** For an answer that a script may read. */
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

/** For the preflight, which must succeed or the denial behind it stays hidden. Nothing is remembered. */
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
