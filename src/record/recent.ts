/**
 * The latest blocks, in memory, so that a person can look up the id from an answer. They contain no path and no header;
 * the only user input in them is the host.
 */
import type { Assistant, Texts } from '../flow.ts';
import { isBlocked, type Blocked } from './blocks.ts';
import type { Sink } from './sink.ts';

export interface RecentBlock {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly clientAddress: string;
  readonly host: string;
  /** Display names, or null for a host that is not in the catalogue. */
  readonly vendor: string | null;
  readonly product: string | null;
  readonly rule: string;
  readonly reason: string;
  /** The reason by language, if it is available in several. */
  readonly reasons?: Texts | undefined;
  readonly assistant: Assistant | null;
  /** Where to ask, or null. */
  readonly link: string | null;
  readonly answer: string | null;
}

export interface Recent extends Sink {
  finished(finished: Blocked): void;
  /** The block with this id if it is this client's; otherwise null, as for an unknown id. */
  find(id: string, clientAddress: string): RecentBlock | null;
  /** The client's latest blocks, newest first. */
  ofClient(clientAddress: string, limit?: number): readonly RecentBlock[];
}

/** Remembers the last `limit` blocks of all clients together. */
export function createRecent(limit = 2000): Recent {
  // A ring buffer rather than a map by id: lookups are rare, and a map is slow under constant insertion and deletion.
  const kept: RecentBlock[] = [];
  let next = 0;
  const oldestFirst = (): readonly RecentBlock[] => [...kept.slice(next), ...kept.slice(0, next)];
  return {
    name: 'recent blocks',
    decided: () => undefined,
    finished(finished) {
      if (!isBlocked(finished)) return;
      kept[next] = factsOf(finished);
      next = (next + 1) % limit;
    },
    rejected: () => undefined,
    find(id, clientAddress) {
      const address = machineOf(clientAddress);
      return kept.find((block) => block.id === id && block.clientAddress === address) ?? null;
    },
    ofClient(clientAddress, most = 20) {
      const address = machineOf(clientAddress);
      const own = oldestFirst().filter((block) => block.clientAddress === address);
      return own.slice(-most).reverse();
    },
    close: () => Promise.resolve(),
  };
}

function factsOf({ arrival, question, decision, outcome }: Blocked): RecentBlock {
  const denial = decision.effect === 'deny' ? decision.denial : null;
  const service = denial?.service ?? null;
  return {
    id: arrival.id,
    at: arrival.at,
    clientAddress: machineOf(question.client.address),
    host: arrival.target.host,
    vendor: service?.vendorName ?? null,
    product: service?.productName ?? null,
    rule: decision.rule,
    reason: decision.reason,
    reasons: denial?.reasons,
    assistant: denial?.assistant ?? null,
    link: denial?.link ?? null,
    answer: outcome.answer,
  };
}

/** A browser may connect to the proxy from 127.0.0.1 and to the pages from ::1; both are the same client. */
function machineOf(address: string): string {
  return address === '::1' ? '127.0.0.1' : address;
}
