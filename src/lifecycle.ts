/**
 * The life of an attempt, from arrival to record. Read this file first.
 *
 *   listen     sockets become arrivals: a CONNECT, a request, an upgrade
 *   identify   which client, and which AI service?
 *   decide     what does the policy say? One pure function, called at each moment with what is known by then
 *   act        tunnel, forward, intercept, block, redirect, refuse, reset
 *   record     metrics, access log, recent blocks: every attempt once, failed ones included
 *
 * A CONNECT is judged twice: by its target, and by the first bytes of the tunnel, which may name another host. If a
 * denied tunnel is intercepted, each request inside is a new arrival, like a plain HTTP request. An allowed name is
 * judged once more by the addresses that it resolves to, before one of them is dialled. The policy is read once per
 * attempt: a reload affects only later attempts.
 *
 * An internal error before the action denies the attempt; one during the action ends only that attempt.
 */
import { upstreamErrorCode, type ErrorCode } from './errors.ts';
import type {
  Action,
  Answerable,
  Arrival,
  Asked,
  Decided,
  Decision,
  Finished,
  Hello,
  Locate,
  Outcome,
  Question,
  Rejected,
  Target,
  TunnelArrival,
  UpgradeArrival,
} from './flow.ts';

interface Upstream {
  readonly destroy: () => unknown;
}

export interface Identify {
  readonly connect: (arrival: TunnelArrival) => Asked<TunnelArrival>;
  readonly hello: (asked: Asked<TunnelArrival>, hello: Hello) => Asked<TunnelArrival>;
  readonly request: <A extends Answerable | UpgradeArrival>(arrival: A) => Asked<A>;
}

/** One policy, compiled, with its catalogue and groups. */
export interface Snapshot {
  /** The hash of the policy, for the records. */
  readonly policy: string;
  readonly identify: Identify;
  /** Looks up addresses; null if no denial concerns addresses. */
  readonly locate: Locate | null;
  readonly decide: (question: Question, now: number) => { readonly decision: Decision; readonly action: Action };
}

type Opened<U> =
  { readonly kind: 'open'; readonly upstream: U | null } | { readonly kind: 'ended'; readonly outcome: Outcome };

export interface Stations<U extends Upstream> {
  readonly snapshot: () => Snapshot;
  /** Wall clock in epoch milliseconds, by which schedules are evaluated. */
  readonly now: () => number;
  readonly hello: (arrival: TunnelArrival, upstream: U | null) => Promise<Hello>;
  readonly act: {
    /** The addresses of a name, synchronously if cached; none if it cannot be resolved. Never throws. */
    readonly addresses: (target: Target) => readonly string[] | Promise<readonly string[]>;
    readonly open: (decided: Decided<TunnelArrival>) => Opened<U> | Promise<Opened<U>>;
    readonly carry: (
      decided: Decided<TunnelArrival>,
      hello: Hello,
      upstream: U | null,
    ) => Outcome | null | Promise<Outcome | null>;
    readonly request: (decided: Decided<Answerable>) => Promise<Outcome>;
    readonly upgrade: (decided: Decided<UpgradeArrival>) => Promise<Outcome>;
    /** Ends an attempt after an unexpected error, and says what its client was sent. */
    readonly abandon: (arrival: Arrival) => Promise<Pick<Outcome, 'status' | 'bytesOut'>>;
  };
  readonly record: {
    readonly decided: (decided: Decided) => void;
    readonly finished: (finished: Finished) => void;
    readonly rejected: (rejected: Rejected) => void;
  };
  /** Logs and counts an unexpected error. */
  readonly surprised: (error: unknown) => void;
}

export interface Lifecycle {
  /** Takes an attempt through all stations. Never rejects. */
  readonly take: (arrival: Arrival) => Promise<void>;
  /** How many attempts have not ended yet. */
  readonly underway: () => number;
  /** From now on, what looks like a client or an origin that leaves is the proxy, which cuts all connections. */
  readonly cut: () => void;
}

/**
 * What was denied at the CONNECT stays denied, even if its rule has expired since. If the action was `listen`, nothing
 * was decided yet.
 */
function remember({ decision, action }: Decided, question: Question): Question {
  if (decision.effect !== 'deny' || action.kind === 'listen') return question;
  return { ...question, denied: decision.denial };
}

/** How attempts fail if one of their connections is closed. */
const left: ReadonlySet<ErrorCode | null> = new Set(['client_closed', 'connection_terminated']);

export function createLifecycle<U extends Upstream>(stations: Stations<U>): Lifecycle {
  const { act, record } = stations;

  // Objects are built field by field, so that they share a hidden class: spreading costs several times as much.
  const judge = <A extends Arrival>(
    snapshot: Snapshot,
    arrival: A,
    question: Question,
    mayReach?: Decided['mayReach'],
  ): Decided<A> => {
    const { decision, action } = snapshot.decide(question, stations.now());
    return { arrival, question, decision, action, policy: snapshot.policy, mayReach };
  };

  /**
   * Judges an allowed name again by its addresses, before one of them is dialled. Synchronous if they are cached, or if
   * no denial concerns addresses.
   */
  const reach = <A extends Arrival>(snapshot: Snapshot, decided: Decided<A>): Decided<A> | Promise<Decided<A>> => {
    const { locate } = snapshot;
    const { action, arrival, question } = decided;
    if (locate === null || (action.kind !== 'tunnel' && action.kind !== 'forward')) return decided;
    const judgedAt = (addresses: readonly string[]): Decided<A> => {
      const dialled = addresses.map(locate).filter((found) => found !== null);
      return dialled.length === 0 ? decided : judge(snapshot, arrival, { ...question, dialled });
    };
    const judged = (addresses: readonly string[]): Decided<A> => {
      const found = judgedAt(addresses);
      const mayReach = (address: string): boolean => judgedAt([address]).decision.effect !== 'deny';
      return {
        arrival,
        question: found.question,
        decision: found.decision,
        action: found.action,
        policy: found.policy,
        mayReach,
      };
    };
    const found = act.addresses(arrival.target);
    return 'then' in found ? found.then(judged) : judged(found);
  };

  let isCutting = false;

  const finish = (decided: Decided, end: Outcome): void => {
    const { arrival, question, decision, action, policy, mayReach } = decided;
    const duration = performance.now() - arrival.started;
    const outcome: Outcome = isCutting && left.has(end.error) ? { ...end, error: 'draining' } : end;
    record.finished({ arrival, question, decision, action, policy, mayReach, outcome, duration });
  };

  /** Handles an unexpected error: ends the attempt and records it as failed. */
  const fail = async (decided: Decided, error: unknown): Promise<void> => {
    stations.surprised(error);
    const sent = await act.abandon(decided.arrival).catch((cause: unknown) => {
      stations.surprised(cause);
      return { status: null, bytesOut: 0 };
    });
    const code = upstreamErrorCode(error);
    finish(decided, { kind: 'failed', answer: null, ...sent, error: code, bytesIn: 0, upstream: null });
  };

  const tunnel = async (arrival: TunnelArrival): Promise<void> => {
    const snapshot = stations.snapshot();
    const asked = snapshot.identify.connect(arrival);
    const first = reach(snapshot, judge(snapshot, arrival, asked.question));
    let decided = 'then' in first ? await first : first;
    record.decided(decided);
    let upstream: U | null = null;
    try {
      const opened = await act.open(decided);
      if (opened.kind === 'ended') {
        finish(decided, opened.outcome);
        return;
      }
      upstream = opened.upstream;
      const hello = await stations.hello(arrival, upstream);
      const asked = remember(decided, snapshot.identify.hello(decided, hello).question);
      const spoken = judge(snapshot, arrival, asked, decided.mayReach);
      // An open upstream was judged before it was dialled; if dialling waited for the hello, addresses are judged now.
      decided = upstream === null ? await reach(snapshot, spoken) : spoken;
      const outcome = await act.carry(decided, hello, upstream);
      if (outcome !== null) finish(decided, outcome);
    } catch (error) {
      upstream?.destroy();
      await fail(decided, error);
    }
  };

  const read = async <A extends Answerable | UpgradeArrival>(
    arrival: A,
    carryOut: (decided: Decided<A>) => Promise<Outcome>,
  ): Promise<void> => {
    const snapshot = stations.snapshot();
    const reached = reach(snapshot, judge(snapshot, arrival, snapshot.identify.request(arrival).question));
    const decided = 'then' in reached ? await reached : reached;
    record.decided(decided);
    try {
      finish(decided, await carryOut(decided));
    } catch (error) {
      await fail(decided, error);
    }
  };

  const route = (arrival: Arrival): Promise<void> => {
    switch (arrival.kind) {
      case 'tunnel':
        return tunnel(arrival);
      case 'request':
        return read(arrival, act.request);
      case 'upgrade':
        return read(arrival, act.upgrade);
    }
  };

  /** Handles an error in identifying or deciding: the attempt is denied, and recorded without a decision. */
  const lost = async (arrival: Arrival, error: unknown): Promise<void> => {
    stations.surprised(error);
    await act.abandon(arrival).catch(stations.surprised);
    const { id, at, clientAddress, clientPort } = arrival;
    const detail = 'no decision was reached';
    record.rejected({ id, at, clientAddress, clientPort, code: 'internal_error', detail });
  };

  let underway = 0;
  const ended = (): void => {
    underway -= 1;
  };

  return {
    take(arrival) {
      underway += 1;
      return route(arrival).then(ended, (error: unknown) => lost(arrival, error).then(ended));
    },
    underway: () => underway,
    cut() {
      isCutting = true;
    },
  };
}
