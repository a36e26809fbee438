/** When a policy's decisions can change at all: between two such moments a decision need be taken only once. */
import { nextChange } from '../decide/schedule.ts';
import type { PolicyDocument } from '../flow.ts';

interface Stretch {
  /** The earliest that is known to be in it, which may not be its beginning. */
  from: number;
  readonly end: number;
}

/** Long tunnels are logged long after they began, so that lines around a change are of both sides by turns. */
const kept = 8;

/** A number for each stretch of time within which nothing begins or ends: the moment at which it is over. */
export function createStretches(
  document: Pick<PolicyDocument, 'rules' | 'exceptions' | 'pauses'>,
): (at: number) => number {
  let stretches: Stretch[] = [];
  let last: Stretch = { from: Infinity, end: -Infinity };

  const find = (at: number): Stretch => {
    const known = stretches.find(({ from, end }) => from <= at && at < end);
    if (known !== undefined) return known;
    const end = nextChange(document, at) ?? Infinity;
    const earlier = stretches.find((stretch) => stretch.end === end);
    if (earlier !== undefined) {
      earlier.from = Math.min(earlier.from, at);
      return earlier;
    }
    const stretch = { from: at, end };
    stretches = [stretch, ...stretches.slice(0, kept - 1)];
    return stretch;
  };

  return (at) => {
    if (at < last.from || at >= last.end) last = find(at);
    return last.end;
  };
}
