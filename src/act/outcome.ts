/** Outcomes of attempts for which nothing was read from an origin. */
import type { ErrorCode } from '../errors.ts';
import type { Outcome } from '../flow.ts';

/** `answer`: its row in the answer table; `bytesOut`: bytes sent to the client. */
export function blockedOutcome(answer: string, status: number, bytesOut: number): Outcome {
  return { kind: 'blocked', answer, status, error: null, bytesIn: 0, bytesOut, upstream: null };
}

/** A denial by RST, without an answer. */
export function resetOutcome(status: number | null = null, error: ErrorCode | null = null): Outcome {
  return { ...blockedOutcome('reset', 0, 0), status, error };
}

/** `status`: that of the answer; null if the client disconnected before it. */
export function failedOutcome(error: ErrorCode, status: number | null, bytesOut = 0): Outcome {
  return { kind: 'failed', answer: null, status, error, bytesIn: 0, bytesOut, upstream: null };
}
