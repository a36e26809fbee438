/** When a policy's decisions can change at all: between two such moments a decision need be taken only once. */
import type { PolicyDocument } from '../flow.ts';

/** A number for each stretch of time within which nothing begins or ends. */
export function createStretches({
  rules,
  exceptions,
}: Pick<PolicyDocument, 'rules' | 'exceptions'>): (at: number) => number {
  const all = [...rules, ...exceptions].flatMap(({ from, until }) => [from, until]);
  const moments = [...new Set(all.filter((moment) => moment !== undefined))].toSorted((a, b) => a - b);
  let stretch = 0;
  return (at) => {
    // Lines come nearly in order, so that the last stretch is nearly always the right one.
    while (at < (moments[stretch - 1] ?? -Infinity)) stretch -= 1;
    while (at >= (moments[stretch] ?? Infinity)) stretch += 1;
    return stretch;
  };
}
