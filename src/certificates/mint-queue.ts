/**
 * Limits the rate at which leaf certificates are minted. Each one, with its handshake, occupies the event loop for a
 * millisecond or more, so a flood of names would stall all clients. Names with a cached leaf do not wait.
 */
import type { Target } from '../flow.ts';

export interface MintQueueOptions {
  readonly perSecond: number;
  /** Maximum number of names that wait; further ones are refused. */
  readonly waiting: number;
  readonly isCached: (target: Target) => boolean;
  /** Monotonic clock, milliseconds. */
  readonly now: () => number;
  /** Called for each name that is refused. */
  readonly refused: () => void;
}

export interface MintQueue {
  /** True, possibly after a wait: a leaf may be minted. False: too many are waiting. */
  readonly turn: (target: Target) => boolean | Promise<boolean>;
  /** Whether {@link turn} would refuse this name now. */
  readonly full: (target: Target) => boolean;
}

/** Milliseconds between two checks of the queue. */
const TICK = 10;

export function createMintQueue({ perSecond, waiting, isCached, now, refused }: MintQueueOptions): MintQueue {
  // At most the tokens of 50 ms: a longer burst would delay other clients noticeably.
  const most = Math.max(1, perSecond / 20);
  const queue: (() => void)[] = [];
  let tokens = most;
  let at = now();
  let timer: NodeJS.Timeout | null = null;

  const refill = (): void => {
    const then = now();
    tokens = Math.min(most, tokens + ((then - at) * perSecond) / 1000);
    at = then;
  };
  const advance = (): void => {
    // By ticks rather than by elapsed time, which would give a busy event loop more to do.
    tokens = Math.min(most, tokens + (perSecond * TICK) / 1000);
    at = now();
    while (tokens >= 1 && queue.length > 0) {
      tokens -= 1;
      queue.shift()?.();
    }
    timer = queue.length > 0 ? setTimeout(advance, TICK) : null;
  };

  return {
    turn(target) {
      if (isCached(target)) return true;
      refill();
      if (queue.length === 0 && tokens >= 1) {
        tokens -= 1;
        return true;
      }
      if (queue.length >= waiting) {
        refused();
        return false;
      }
      return new Promise((resolve) => {
        queue.push(() => resolve(true));
        timer ??= setTimeout(advance, TICK);
      });
    },
    full: (target) => queue.length >= waiting && !isCached(target),
  };
}
