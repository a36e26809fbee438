/**
 * Allowed requests that the proxy answers itself: TRACE, which would echo to a page the header fields that its scripts
 * must not read, and OPTIONS with `Max-Forwards: 0` (RFC 9110, sections 7.6.2 and 9.3.7).
 */
import type { ErrorCode } from '../errors.ts';
import type { Answer, Outcome, RequestArrival } from '../flow.ts';
import { sendAnswer } from './write.ts';

const Allow = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT';

/** The proxy's own answer to OPTIONS; it contains nothing from the request. */
const options: Answer = { name: 'options', status: 200, reason: 'OK', headers: { Allow }, body: Buffer.alloc(0) };

export function isFinalRecipient({ facts }: RequestArrival): boolean {
  const { method, headers } = facts;
  return method === 'TRACE' || (method === 'OPTIONS' && /^0+$/.test(headers['max-forwards']?.toString() ?? ''));
}

export async function answerHere(
  arrival: RequestArrival,
  failed: (code: ErrorCode, arrival: RequestArrival) => Answer,
): Promise<Outcome> {
  const { req, res, facts } = arrival;
  const error = facts.method === 'TRACE' ? 'method_not_allowed' : null;
  const refusal = error === null ? options : failed(error, arrival);
  const answer = { ...refusal, headers: { ...refusal.headers, Allow } };
  const bytesOut = await sendAnswer(req, res, answer);
  const kind = error === null ? 'passed' : 'failed';
  return { kind, answer: null, status: answer.status, error, bytesIn: 0, bytesOut, upstream: null };
}
