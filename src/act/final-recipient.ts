/**
 * Requests that a proxy answers itself, although they may go on: TRACE, which would show a page the fields that its own
 * script may not read, and OPTIONS that has no hop left (RFC 9110, sections 7.6.2 and 9.3.7).
 */
import type { ErrorCode } from '../errors.ts';
import type { Answer, Outcome, RequestArrival } from '../flow.ts';
import { sendAnswer } from './write.ts';

const Allow = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT';

/** What this proxy says for itself: nothing of the request is in it. */
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
