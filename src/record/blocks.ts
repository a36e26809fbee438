/**
 * What counts as a block and what it was about, for every sink that counts or lists blocks.
 */
import type { Client, Decision, Finished, Outcome, Question, Service } from '../flow.ts';

/** What is told of a block: facts only, which can be passed on to another process. */
export interface Blocked {
  readonly arrival: Pick<Finished['arrival'], 'id' | 'at' | 'target'>;
  readonly question: Pick<Question, 'service' | 'serverName'> & { readonly client: Pick<Client, 'address' | 'user'> };
  readonly decision: Decision;
  readonly outcome: Pick<Outcome, 'kind' | 'answer'>;
}

/** The facts of a block, without its sockets. */
export function blockedOf({ arrival, question, decision, outcome }: Finished): Blocked {
  const { id, at, target } = arrival;
  const { service, serverName, client } = question;
  const { address, user } = client;
  return {
    arrival: { id, at, target },
    question: { service, serverName, client: { address, user } },
    decision,
    outcome: { kind: outcome.kind, answer: outcome.answer },
  };
}

/**
 * An attempt is blocked when the client got the policy's answer, and also when the policy denied it and the client
 * never got that far (it went away, or it does not trust our certificate): nothing reached the origin either way.
 *
 * A denied tunnel in which requests were answered is not finished itself, each of those requests is; so every
 * attempt counts once.
 */
export function isBlocked({ decision, outcome }: Pick<Blocked, 'decision' | 'outcome'>): boolean {
  return outcome.kind === 'blocked' || decision.effect === 'deny';
}

interface ServiceFacts {
  readonly decision: Decision;
  readonly question: Pick<Question, 'service' | 'serverName'>;
}

/** The AI service that a decision was about: for a denial the one denied, which may be known by server name only. */
export function serviceOf({ decision, question }: ServiceFacts): Service | null {
  if (decision.effect === 'deny') return decision.denial.service;
  return question.service ?? question.serverName?.service ?? null;
}
