/**
 * What counts as a block and what it was about, for every sink that counts or lists blocks.
 */
import type { Decided, Finished, Service } from '../flow.ts';

/**
 * An attempt is blocked when the client got the policy's answer, and also when the policy denied it and the client
 * never got that far (it went away, or it does not trust our certificate): nothing reached the origin either way.
 *
 * A denied tunnel in which requests were answered is not finished itself, each of those requests is; so every
 * attempt counts once.
 */
export function isBlocked({ decision, outcome }: Finished): boolean {
  return outcome.kind === 'blocked' || decision.effect === 'deny';
}

/** The AI service that a decision was about: for a denial the one denied, which may be known by server name only. */
export function serviceOf({ decision, question }: Decided): Service | null {
  if (decision.effect === 'deny') return decision.denial.service;
  return question.service ?? question.serverName?.service ?? null;
}
