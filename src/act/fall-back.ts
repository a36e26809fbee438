/** What is done about a client that has shown not to trust the company's authority. */
import type { Action, Question } from '../flow.ts';

/**
 * A leaf that is refused shows nobody why, so the CONNECT itself is answered: the least that a client can show, and at
 * once. Only at the CONNECT: once it was answered with 200 there is nothing left but the leaf. Else `action` as it is.
 *
 * @param refuses whether the client at an address keeps refusing our leaf.
 */
export function fallBack(
  action: Action,
  { moment, client }: Pick<Question, 'moment' | 'client'>,
  refuses: (clientAddress: string) => boolean,
): Action {
  if (action.kind !== 'intercept' || moment !== 'connect' || !refuses(client.address)) return action;
  return { kind: 'refuse', denial: action.denial };
}
