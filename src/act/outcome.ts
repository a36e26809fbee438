/** How an attempt ended whose bytes went no further than to this proxy: nothing was read of an origin. */
import type { ErrorCode } from '../errors.ts';
import type { Outcome } from '../flow.ts';

/** `answer`: the name of the row of the answer table; `bytesOut`: bytes that the client was sent. */
export function blockedOutcome(answer: string, status: number, bytesOut: number): Outcome {
  return { kind: 'blocked', answer, status, error: null, bytesIn: 0, bytesOut, upstream: null };
}

/** A denial that is no answer, but the end of the connection by RST. */
export function resetOutcome(status: number | null = null, error: ErrorCode | null = null): Outcome {
  return { ...blockedOutcome('reset', 0, 0), status, error };
}

/** `status`: what the client was answered; null where it was gone before it could be. */
export function failedOutcome(error: ErrorCode, status: number | null, bytesOut = 0): Outcome {
  return { kind: 'failed', answer: null, status, error, bytesIn: 0, bytesOut, upstream: null };
}
