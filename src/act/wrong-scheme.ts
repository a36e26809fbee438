/**
 * Requests for https:// URLs sent to the proxy in the clear, by HTTP libraries that do not use CONNECT (axios by
 * default). Denied ones get the denial as usual. Allowed ones are refused: forwarding them over TLS would hide that the
 * request has already crossed the client's network in the clear.
 */
import type { ErrorCode } from '../errors.ts';
import type { Answer, Outcome, RequestArrival, UpgradeArrival } from '../flow.ts';
import { failedOutcome } from './outcome.ts';
import { answerAndEnd, sendAnswer } from './write.ts';

export function hasWrongScheme({ tunnel, facts }: RequestArrival | UpgradeArrival): boolean {
  return tunnel === null && facts.scheme === 'https';
}

/** Answers that only http:// URLs can be requested without CONNECT. */
export async function refuseScheme(
  arrival: RequestArrival | UpgradeArrival,
  failed: (code: ErrorCode, arrival: RequestArrival | UpgradeArrival) => Answer,
): Promise<Outcome> {
  const error = 'unsupported_scheme';
  const answer = failed(error, arrival);
  const sent =
    arrival.kind === 'request' ? sendAnswer(arrival.req, arrival.res, answer) : answerAndEnd(arrival.socket, answer);
  return failedOutcome(error, answer.status, await sent);
}
