/** When a policy's decisions can change at all: between two such moments a decision need be taken only once. */
import { nextChange } from '../decide/schedule.ts';
import type { PolicyDocument } from '../flow.ts';

/** A number for each stretch of time within which nothing begins or ends: the moment at which it is over. */
export function createStretches(document: Pick<PolicyDocument, 'rules' | 'exceptions'>): (at: number) => number {
  // Lines come nearly in order, so that the last stretch is nearly always the right one.
  let [from, end] = [Infinity, -Infinity];
  return (at) => {
    if (at >= end || at < from) {
      const next = nextChange(document, at) ?? Infinity;
      from = next === end ? Math.min(from, at) : at;
      end = next;
    }
    return end;
  };
}
