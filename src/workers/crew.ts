/** The primary process' side: keeps as many workers as are wanted, and makes one proxy of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import type { Crew, CrewHears, CrewStart } from '../gateway/crew.ts';
import { lasting, renderSum, withoutGauges, type MetricsFacts } from '../record/metrics-sum.ts';
import type { TrustNote } from '../record/trust.ts';
import { createHand, type Child, type Hand, type Listening } from './hand.ts';
import { toText, type ToPrimary, type ToWorker } from './messages.ts';
import { shareOf } from './share.ts';
import { createTold } from './told.ts';

export interface CrewOptions {
  /** Workers at once. */
  readonly size: number;
  readonly spawn: () => Child;
  /** Whether each may have a listening socket of its own. */
  readonly reusePort: boolean;
}

/** Milliseconds. A worker that served so long did not fail at its start. */
const SOUND = 30_000;
const MOST_WAIT = 30_000;
/** How long a worker may take to end, once it should. */
const END_TIME = 5_000;
/** So old may the counts be of a worker that dies without a word. */
const LOOK = 5_000;
/** A worker that serves and has let so many looks pass without a word hangs: clients wait for it in vain. */
const SILENT = 6;
/** What clients made of our leaves, for a worker that takes another's place. */
const NOTES = 2_000;
const FORMER = 16;

/** Milliseconds until the next start, after so many workers in a row that did not last. */
function backOff(failures: number): number {
  return failures <= 1 ? 0 : Math.min(MOST_WAIT, 250 * 2 ** Math.min(failures - 2, 10));
}

export function createCrew({ size, spawn, reusePort }: CrewOptions, hears: CrewHears): Crew {
  const hands = new Set<Hand>();
  const serving = new Set<Hand>();
  const log = createTold(hears.log, Date.now);
  let given: CrewStart | null = null;
  /**
   * What the first worker was given where the system chose: each with a socket of its own, the others must ask for that
   * port. One shared socket they all have by asking for the same as the first.
   */
  let bound: Listening | null = null;
  let notes: TrustNote[] = [];
  /** The counts of workers that are gone. */
  let former: readonly MetricsFacts[] = [];
  let replaced = 0;
  let ending = false;
  const isEnding = (): boolean => ending;
  let look: NodeJS.Timeout | undefined;

  const configFor = (config: Config): Config => shareOf(config, size, reusePort ? (bound?.tlsPort ?? null) : null);

  const startMessage = (): ToWorker => {
    if (given === null || ending) return { kind: 'end' };
    const { config, shared, addresses } = given;
    const proxy = reusePort ? (bound?.proxy ?? addresses.proxy) : addresses.proxy;
    return {
      kind: 'start',
      config: configFor(config),
      shared: toText(shared),
      addresses: { ...addresses, proxy },
      reusePort,
      notes,
    };
  };

  const toAll = (message: ToWorker, but?: Hand): void => {
    for (const hand of hands) if (hand !== but) hand.send(message);
  };

  const heard = (hand: Hand, message: ToPrimary): void => {
    if (message.kind === 'log') log(message.line);
    else if (message.kind === 'lines') hears.lines(message.text);
    else if (message.kind === 'news') {
      message.blocked.forEach(hears.blocked);
      for (const { clientAddress, result, at } of message.notes) hears.trust.note(clientAddress, result, at);
      notes = [...notes, ...message.notes].slice(-NOTES);
      if (message.notes.length > 0) toAll({ kind: 'notes', notes: message.notes }, hand);
    }
  };

  const remember = async (facts: MetricsFacts): Promise<void> => {
    former = [...former, withoutGauges(facts)];
    if (former.length <= FORMER) return;
    const merged = former;
    const one = await lasting(merged);
    if (former[0] === merged[0]) former = [one, ...former.slice(merged.length)];
  };

  /** Counted in looks and not in time, so that nobody is to blame for a machine that stood still. */
  const lookAtAll = (): void => {
    for (const hand of hands) {
      if (hand.look() < SILENT || !serving.has(hand)) continue;
      log(`worker ${hand.pid} has not responded for ${(SILENT * LOOK) / 1000} s; killing it`);
      hand.kill();
    }
  };

  /** Starts one, and resolves when it listens. */
  const launch = async (): Promise<Hand> => {
    const hand: Hand = createHand(spawn(), startMessage, (message) => heard(hand, message));
    hands.add(hand);
    void hand.left.then(() => serving.delete(hand));
    void hand.ended.then(() => {
      hands.delete(hand);
      return remember(hand.lastMetrics());
    });
    const listening = await hand.listening;
    bound ??= listening;
    serving.add(hand);
    return hand;
  };

  /** Keeps one place filled until the end. */
  const keep = async (first: Hand): Promise<void> => {
    let failures = 0;
    let since = performance.now();
    for (let hand: Hand | null = first; !isEnding(); hand = null) {
      try {
        hand ??= await launch();
        const why = await hand.left;
        if (!isEnding()) log(`worker ${hand.pid} is gone (${why}); another is taking its place`);
      } catch (error) {
        if (!isEnding())
          log(`a worker could not be started: ${error instanceof Error ? error.message : String(error)}`);
      }
      if (isEnding()) return;
      replaced += 1;
      failures = performance.now() - since > SOUND ? 1 : failures + 1;
      await sleep(backOff(failures), undefined, { ref: false });
      since = performance.now();
    }
  };

  /** Resolves when all have ended; those that take longer are killed. */
  const allEnded = async (time: number): Promise<void> => {
    const late = setTimeout(() => {
      for (const hand of hands) hand.kill();
    }, time);
    await Promise.all(Array.from(hands, ({ ended }) => ended));
    clearTimeout(late);
    clearInterval(look);
  };

  const tell = (kind: 'follow' | 'adopt', config: Config): void => {
    if (given === null) return;
    const { vendors, ...rest } = configFor(config);
    const known = vendors === given.config.vendors;
    given = { ...given, config };
    toAll({ kind, config: known ? rest : { ...rest, vendors } });
  };

  return {
    async listen(start) {
      given = start;
      const { proxy } = start.addresses;
      // Where the system is to choose a port, the first worker has it do so, and the others follow.
      const chosen = proxy.port === 0 || start.config.proxyTls?.address.port === 0;
      const first = chosen ? [await launch()] : [];
      const others = await Promise.all(Array.from({ length: size - first.length }, launch));
      look = setInterval(lookAtAll, LOOK).unref();
      for (const hand of [...first, ...others]) void keep(hand);
      return bound?.proxy ?? proxy;
    },
    follow: (config) => tell('follow', config),
    adopt: (config) => tell('adopt', config),
    async metrics() {
      const [own] = await Promise.all([hears.metrics.facts(), ...Array.from(serving, (hand) => hand.metrics())]);
      return renderSum(own, [...former, ...Array.from(hands, (hand) => hand.lastMetrics())]);
    },
    counts: () => ({ running: serving.size, replaced }),
    async drain() {
      ending = true;
      toAll({ kind: 'drain' });
      await allEnded((given?.config.limits.drainTimeout ?? 0) + END_TIME);
    },
    async close() {
      ending = true;
      toAll({ kind: 'end' });
      await allEnded(END_TIME);
    },
  };
}
