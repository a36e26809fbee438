/**
 * Requests for https:// that were sent to the proxy in the clear. Some HTTP libraries do that for want of CONNECT
 * (axios does it of itself). A denial is told them like everybody; what is allowed is not passed on, because that would
 * send over TLS, in the client's name, what it has just shown to everyone on its own network.
 */
import type { ErrorCode } from '../errors.ts';
import type { Answer, Outcome, RequestArrival, UpgradeArrival } from '../flow.ts';
import { failedOutcome } from './outcome.ts';
import { answerAndEnd, sendAnswer } from './write.ts';

export function hasWrongScheme({ tunnel, facts }: RequestArrival | UpgradeArrival): boolean {
  return tunnel === null && facts.scheme === 'https';
}

/** Says that only http:// can be asked for like that. */
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
