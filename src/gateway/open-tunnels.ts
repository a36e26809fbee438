/**
 * Tunnels and upgraded connections that were let through. They are judged again whenever something else comes into
 * force, so that a denial also ends what was opened before it, in the manner that its rule says.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../errors.ts';
import type { Denial, Hello, OnChange, Outcome, Question, TunnelArrival, UpgradeArrival } from '../flow.ts';
import type { Snapshot } from '../lifecycle.ts';
import { reset } from '../reset.ts';
import { createIndexedSet, type Indexed } from '../indexed-set.ts';

export interface OpenTunnelsOptions {
  readonly snapshot: () => Snapshot;
  /** The policy's clock, in epoch milliseconds. */
  readonly now: () => number;
  /** The next instant after `now` at which time alone changes a decision; null: never. */
  readonly nextChange: (now: number) => number | null;
  /** Milliseconds that a draining tunnel may go on. */
  readonly drainTimeout: number;
  /** Milliseconds without a byte after which a draining tunnel ends early. */
  readonly drainIdle: number;
  readonly log: (line: string) => void;
  readonly surprised: (error: unknown) => void;
}

/** How many open tunnels have been denied since the start, counted once for each rule. */
export interface Rejudged {
  readonly vendor: string;
  readonly rule: string;
  readonly openTunnels: OnChange;
  readonly count: number;
}

export interface OpenTunnels {
  /** Holds a tunnel that was let through while it is open. `addresses`: the known addresses of its origin. */
  readonly tunnel: (
    arrival: TunnelArrival,
    hello: Hello,
    carried: Outcome | Promise<Outcome | null>,
    addresses: readonly string[],
  ) => Promise<Outcome | null>;
  /** The same for an upgraded connection, such as a WebSocket. */
  readonly upgraded: (
    arrival: UpgradeArrival,
    carried: Promise<Outcome>,
    addresses: readonly string[],
  ) => Promise<Outcome>;
  /** Judges all of them again, in batches, from the next turn of the event loop on. */
  readonly judgeAgain: () => void;
  readonly counts: () => readonly Rejudged[];
  readonly close: () => void;
}

interface Held extends Indexed {
  readonly socket: Duplex;
  readonly judge: (snapshot: Snapshot) => Denial | null;
  /** The rule that denies it now, and what the rule does to open tunnels; null if none does. */
  denied: { readonly rule: string; readonly then: OnChange } | null;
  /** The rule for which it was last counted. */
  counted: string | null;
  /** Set while it drains: the deadline, the bytes transferred, and when they last increased (monotonic). */
  drain: { readonly until: number; moved: number; at: number } | null;
  ended: boolean;
}

/** Milliseconds between checks of the clock and of draining tunnels. */
const CHECK_EVERY = 1_000;
/** Tunnels that are judged in one turn of the event loop, which takes a fraction of a millisecond. */
const TURN = 100;

const nothing = Buffer.alloc(0);
const ended: ErrorCode = 'policy_changed';

function movedBy(socket: Duplex): number {
  return socket instanceof Socket ? socket.bytesRead + socket.bytesWritten : 0;
}

export function createOpenTunnels(options: OpenTunnelsOptions): OpenTunnels {
  const { snapshot, now, nextChange, drainTimeout, drainIdle, log, surprised } = options;
  const open = createIndexedSet<Held>();
  const draining = new Set<Held>();
  const counts = new Map<string, { -readonly [K in keyof Rejudged]: Rejudged[K] }>();
  /** Monotonic: the policy's clock may be set back. */
  let changedAt = -Infinity;
  let lookedAt = now();
  let next = nextChange(lookedAt);
  let pass = 0;

  const cut = (held: Held): void => {
    held.ended = true;
    draining.delete(held);
    reset(held.socket);
  };

  const count = (denial: Denial, openTunnels: OnChange): void => {
    const vendor = denial.service?.vendor ?? '';
    const key = JSON.stringify([vendor, denial.rule, openTunnels]);
    const known = counts.get(key) ?? { vendor, rule: denial.rule, openTunnels, count: 0 };
    known.count += 1;
    counts.set(key, known);
  };

  /** What the rule wants done; null if nothing has changed. */
  const judge = (held: Held): OnChange | null => {
    const denial = held.judge(snapshot());
    if (denial === null) {
      held.denied = null;
      held.drain = null;
      draining.delete(held);
      return null;
    }
    const { rule, onChange: then = 'keep' } = denial;
    if (held.denied?.rule === rule && held.denied.then === then) return null;
    held.denied = { rule, then };
    if (held.counted !== rule) count(denial, then);
    held.counted = rule;
    if (then === 'cut') cut(held);
    else if (then === 'drain' && held.drain === null) {
      const at = performance.now();
      held.drain = { until: at + drainTimeout, moved: movedBy(held.socket), at };
      draining.add(held);
    } else if (then === 'keep') {
      held.drain = null;
      draining.delete(held);
    }
    return then;
  };

  const tryJudge = (held: Held): OnChange | null => {
    if (held.ended || held.place === -1) return null;
    try {
      return judge(held);
    } catch (error) {
      surprised(error);
      return null;
    }
  };

  const judgeAll = (): void => {
    next = nextChange(now());
    pass += 1;
    const mine = pass;
    const waiting = open.all().values();
    const became = { keep: 0, drain: 0, cut: 0 };
    const turn = (): void => {
      // A later pass judges all of them.
      if (mine !== pass) return;
      for (let left = TURN; left > 0; left -= 1) {
        const { value: held, done } = waiting.next();
        if (done === true) {
          const { keep, drain, cut: gone } = became;
          if (drain + gone > 0)
            log(`open tunnels that are now denied: ${gone} closed, ${drain} draining, ${keep} kept`);
          return;
        }
        const then = tryJudge(held);
        if (then !== null) became[then] += 1;
      }
      setImmediate(turn);
    };
    turn();
  };

  const judgeAgain = (): void => {
    changedAt = performance.now();
    setImmediate(judgeAll);
  };

  const drainSome = (): void => {
    const at = performance.now();
    for (const held of draining) {
      const { drain } = held;
      if (drain === null) continue;
      const moved = movedBy(held.socket);
      if (moved !== drain.moved) Object.assign(drain, { moved, at });
      if (at >= drain.until || at - drain.at >= drainIdle) cut(held);
    }
  };

  const look = setInterval(() => {
    const at = now();
    // A clock that is set back brings back what had ended.
    if ((next !== null && at >= next) || at < lookedAt) judgeAgain();
    lookedAt = at;
    drainSome();
  }, CHECK_EVERY).unref();

  const hold = async <O extends Outcome | null>(
    socket: Duplex,
    started: number,
    judgeIt: Held['judge'],
    carried: O | Promise<O>,
  ): Promise<O> => {
    const held: Held = {
      socket,
      judge: judgeIt,
      denied: null,
      counted: null,
      drain: null,
      ended: false,
      place: -1,
    };
    open.add(held);
    // The policy has changed since this was decided, and the pass that followed may have missed it.
    if (started <= changedAt) setImmediate(() => tryJudge(held));
    try {
      const outcome = await carried;
      if (outcome === null || !held.ended) return outcome;
      return { ...outcome, kind: 'failed', error: ended, endedBy: held.denied?.rule };
    } finally {
      open.delete(held);
      draining.delete(held);
    }
  };

  const denialOf = (snapshot: Snapshot, asked: Question, addresses: readonly string[]): Denial | null => {
    const { locate } = snapshot;
    const dialled = locate === null ? [] : addresses.map(locate).filter((found) => found !== null);
    const question = dialled.length === 0 ? asked : { ...asked, dialled };
    const { decision } = snapshot.decide(question, now());
    return decision.effect === 'deny' ? decision.denial : null;
  };

  return {
    tunnel(arrival, hello, carried, addresses) {
      // Only the facts of the hello are kept; its bytes have been forwarded.
      const known: Hello = { ...hello, bytes: nothing };
      return hold(
        arrival.socket,
        arrival.started,
        (policy) =>
          denialOf(policy, policy.identify.hello(policy.identify.connect(arrival), known).question, addresses),
        carried,
      );
    },
    upgraded: (arrival, carried, addresses) =>
      hold(
        arrival.socket,
        arrival.started,
        (policy) => denialOf(policy, policy.identify.request(arrival).question, addresses),
        carried,
      ),
    judgeAgain,
    counts: () => [...counts.values()],
    close: () => clearInterval(look),
  };
}
