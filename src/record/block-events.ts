/**
 * Groups blocks into events: a denied tool retries many times, and people count that as one. `sallyport_blocked_total`
 * and the access log still count every attempt.
 */
import { isBlocked, serviceOf, type Blocked } from './blocks.ts';
import type { Sink } from './sink.ts';

/** The first blocked attempt of a client by a rule, and the number of those that followed. */
export interface BlockEvent {
  /** Id of the first attempt, as in its answer, log line and block page. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly clientAddress: string;
  readonly user: string | null;
  readonly host: string;
  readonly vendor: string | null;
  readonly product: string | null;
  readonly rule: string;
  readonly reason: string;
  readonly answer: string | null;
  /** So far, including the first. */
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly lastAt: number;
}

export interface BlockEventsOptions {
  /** Milliseconds from the first attempt; later attempts start a new event. */
  readonly window: number;
  /** Called once per event, at its first attempt. */
  readonly publish: (event: BlockEvent) => void;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
}

/** The labels of `sallyport_block_events_total`. */
export interface BlockEventCount {
  readonly vendor: string;
  readonly product: string;
  readonly rule: string;
  readonly count: number;
}

export interface BlockEvents extends Sink {
  readonly finished: (finished: Blocked) => void;
  /** Events whose window is still open, newest first. */
  readonly open: () => readonly BlockEvent[];
  /** Since the process started. */
  readonly counts: () => readonly BlockEventCount[];
}

type Open = { -readonly [K in keyof BlockEvent]: BlockEvent[K] };

/** At most `limit` windows are open; beyond that, the oldest is closed. */
export function createBlockEvents({ window, publish, now }: BlockEventsOptions, limit = 10_000): BlockEvents {
  /** In order of their first attempts, so the next to end comes first. */
  const open = new Set<Open>();
  /** The same by rule, then client; a combined key would require building a string for each attempt. */
  const known = new Map<string, Map<string, Open>>();
  const counts = new Map<string, Omit<BlockEventCount, 'count'> & { count: number }>();

  const end = (event: Open): void => {
    open.delete(event);
    const ofRule = known.get(event.rule);
    ofRule?.delete(clientOf(event.user, event.clientAddress));
    if (ofRule?.size === 0) known.delete(event.rule);
  };

  const endOld = (time: number): void => {
    for (const event of open) {
      if (time - event.at < window && open.size <= limit) return;
      end(event);
    }
  };

  const count = ({ vendor, product, rule }: BlockEvent): void => {
    const labels = { vendor: vendor ?? 'none', product: product ?? 'none', rule };
    const key = `${labels.vendor} ${labels.product} ${rule}`;
    const one = counts.get(key) ?? { ...labels, count: 0 };
    one.count += 1;
    counts.set(key, one);
  };

  return {
    name: 'block events',
    decided: () => undefined,
    finished(finished) {
      if (!isBlocked(finished)) return;
      const time = now();
      const { question, decision } = finished;
      const client = clientOf(question.client.user, question.client.address);
      const before = known.get(decision.rule)?.get(client);
      if (before !== undefined) {
        if (time - before.at < window) {
          before.attempts += 1;
          before.lastAt = time;
          return;
        }
        end(before);
      }
      const event = eventOf(finished, time);
      open.add(event);
      const ofRule = known.get(decision.rule) ?? new Map<string, Open>();
      known.set(decision.rule, ofRule.set(client, event));
      endOld(time);
      count(event);
      publish(event);
    },
    rejected: () => undefined,
    open() {
      endOld(now());
      return [...open].reverse();
    },
    counts: () => [...counts.values()],
    close: () => Promise.resolve(),
  };
}

/** Unambiguous, because an address contains no space. */
function clientOf(user: string | null, address: string): string {
  return user === null ? address : `${address} ${user}`;
}

function eventOf(finished: Blocked, at: number): Open {
  const { arrival, question, decision, outcome } = finished;
  const service = serviceOf(finished);
  return {
    id: arrival.id,
    at,
    clientAddress: question.client.address,
    user: question.client.user,
    host: arrival.target.host,
    vendor: service?.vendor ?? null,
    product: service?.product ?? null,
    rule: decision.rule,
    reason: decision.reason,
    answer: outcome.answer,
    attempts: 1,
    lastAt: at,
  };
}

/** The event as JSON with the field names of the Elastic Common Schema, for the event log and webhooks. */
export function eventText(event: BlockEvent): string {
  return JSON.stringify({
    '@timestamp': new Date(event.at).toISOString(),
    'log.level': 'warn',
    'ecs.version': '8.11.0',
    event: {
      id: event.id,
      kind: 'alert',
      dataset: 'sallyport.block_event',
      category: ['network'],
      type: ['denied'],
      action: 'block-event',
      reason: event.reason,
    },
    rule: { id: event.rule },
    client: { ip: event.clientAddress },
    ...(event.user === null ? {} : { user: { name: event.user } }),
    destination: { domain: event.host },
    sallyport: {
      ...(event.vendor === null ? {} : { vendor: event.vendor, product: event.product }),
      ...(event.answer === null ? {} : { answer: event.answer }),
    },
  });
}
