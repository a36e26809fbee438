/** Defines what counts as a block, and which service it is about, for all sinks that count or list blocks. */
import type { Client, Decision, Finished, Outcome, Question, Service } from '../flow.ts';

/** The serializable part of a block, which can be sent to another process. */
export interface Blocked {
  readonly arrival: Pick<Finished['arrival'], 'id' | 'at' | 'target'>;
  readonly question: Pick<Question, 'service' | 'serverName'> & { readonly client: Pick<Client, 'address' | 'user'> };
  readonly decision: Decision;
  readonly outcome: Pick<Outcome, 'kind' | 'answer'>;
}

/** Extracts the serializable part of an attempt. */
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
 * An attempt is blocked if the client received the policy's answer, or if the policy denied it but the client did not
 * get that far (it disconnected, or does not trust our certificate): either way, nothing reached the origin.
 *
 * If requests were answered in a denied tunnel, only they are recorded, not the tunnel, so every attempt counts once.
 */
export function isBlocked({ decision, outcome }: Pick<Blocked, 'decision' | 'outcome'>): boolean {
  return outcome.kind === 'blocked' || decision.effect === 'deny';
}

interface ServiceFacts {
  readonly decision: Decision;
  readonly question: Pick<Question, 'service' | 'serverName'>;
}

/** The AI service of a decision: for a denial, the denied one, which may be known only from the TLS server name. */
export function serviceOf({ decision, question }: ServiceFacts): Service | null {
  if (decision.effect === 'deny') return decision.denial.service;
  return question.service ?? question.serverName?.service ?? null;
}
