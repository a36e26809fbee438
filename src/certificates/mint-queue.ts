/**
 * Holds the making of leaf certificates to a rate. Each takes the event loop for a millisecond and more, with the
 * handshake behind it, so that a flood of names would stall everybody; a name that has its leaf waits for nothing.
 */
import type { Target } from '../flow.ts';

export interface MintQueueOptions {
  readonly perSecond: number;
  /** Names that may wait; more are turned away. */
  readonly waiting: number;
  readonly isCached: (target: Target) => boolean;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** Hears of each name that was turned away. */
  readonly refused: () => void;
}

export interface MintQueue {
  /** True at once or later: a leaf for this name may be made. False: too many are waiting. */
  readonly turn: (target: Target) => boolean | Promise<boolean>;
  /** Whether a leaf for this name could not even wait now. */
  readonly full: (target: Target) => boolean;
}

/** Milliseconds between two looks at who may go on. */
const TICK = 10;

export function createMintQueue({ perSecond, waiting, isCached, now, refused }: MintQueueOptions): MintQueue {
  // As many as fifty milliseconds hold: a burst longer than that would be felt by others.
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
    // By the look, and not by the time since the last one: a loop that is late has enough to do.
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
