/** When a policy's decisions can change at all: between two such moments a decision need be taken only once. */
import { nextChange } from '../decide/schedule.ts';
import type { PolicyDocument } from '../flow.ts';

interface Interval {
  /** The earliest known instant in it, which may not be its beginning. */
  from: number;
  readonly end: number;
}

/** Long tunnels are logged long after they began, so that lines around a change are of both sides by turns. */
const kept = 8;

/** Maps an instant to the end of its interval, within which no rule begins or ends. */
export function createIntervals(
  document: Pick<PolicyDocument, 'rules' | 'exceptions' | 'pauses'>,
): (at: number) => number {
  let intervals: Interval[] = [];
  let last: Interval = { from: Infinity, end: -Infinity };

  const find = (at: number): Interval => {
    const known = intervals.find(({ from, end }) => from <= at && at < end);
    if (known !== undefined) return known;
    const end = nextChange(document, at) ?? Infinity;
    const earlier = intervals.find((interval) => interval.end === end);
    if (earlier !== undefined) {
      earlier.from = Math.min(earlier.from, at);
      return earlier;
    }
    const interval = { from: at, end };
    intervals = [interval, ...intervals.slice(0, kept - 1)];
    return interval;
  };

  return (at) => {
    if (at < last.from || at >= last.end) last = find(at);
    return last.end;
  };
}
