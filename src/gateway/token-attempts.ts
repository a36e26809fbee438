/** Limits wrong tokens per client on the admin port. */
import type { TokenAttempts } from '../admin/guard.ts';
import { peerAddress } from '../ip.ts';
import { clientKey } from '../listen/peers.ts';
import { createRate } from '../listen/rate.ts';

/** At once, and then per minute: the same as the default for wrong passwords of the proxy. */
const MOST = 10;
/** Milliseconds between two log lines; what comes between them is only counted. */
const QUIET = 60_000;

export interface TokenAttemptsOptions {
  /** Called for each request that is refused after too many wrong tokens. */
  readonly met: () => void;
  readonly log: (line: string) => void;
  /** Monotonic clock, milliseconds. */
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
