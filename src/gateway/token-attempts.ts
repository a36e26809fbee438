/** How many wrong tokens of one client the admin port hears out. */
import type { TokenAttempts } from '../admin/guard.ts';
import { peerAddress } from '../ip.ts';
import { clientKey } from '../listen/peers.ts';
import { createRate } from '../listen/rate.ts';

/** At once, and in each minute from then on: as many as wrong passwords of a proxy that leaves them at their default. */
const MOST = 10;
/** Milliseconds between two lines of the log; what comes between them is counted only. */
const QUIET = 60_000;

export interface TokenAttemptsOptions {
  /** Hears of each request that came after too many wrong tokens. */
  readonly met: () => void;
  readonly log: (line: string) => void;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
}

export function createTokenAttempts({ met, log, now }: TokenAttemptsOptions): TokenAttempts {
  const rate = createRate({ burst: () => MOST, perSecond: () => MOST / 60, now });
  let toldAt = -Infinity;
  return {
    take: (address) => rate.take(clientKey(address)),
    giveBack: (address) => rate.giveBack(clientKey(address)),
    refused(address) {
      met();
      if (now() - toldAt < QUIET) return;
      toldAt = now();
      log(`admin: too many wrong tokens from ${peerAddress(address)}; everything it sends is refused for a while`);
    },
  };
}
