/** Intervals in which a policy's decisions cannot change, so that each decision is needed only once. */
import { nextChange } from '../decide/schedule.ts';
import type { PolicyDocument } from '../flow.ts';

interface Interval {
  /** The earliest known instant in it, which may not be its beginning. */
  from: number;
  readonly end: number;
}

/** Number of cached intervals. Long tunnels are logged long after they began, so lines around a change alternate. */
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
