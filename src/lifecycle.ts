/**
 * One attempt from arrival to record. Read this file first.
 *
 *   listen     sockets become arrivals: a CONNECT, a request, an upgrade
 *   identify   who asks, and for which AI service?
 *   decide     what does the policy say? One pure function, asked at each moment with what is known then
 *   act        tunnel, forward, intercept, block, redirect, refuse, reset
 *   record     metrics, access log, recent blocks: each attempt once, also the failed one
 *
 * A CONNECT has two moments: its target, and then the first bytes of the tunnel, which may name another host. What is
 * denied is intercepted, and the requests inside come back here as arrivals of their own, on the same path as plain
 * ones. What is let through to a name is judged once more by the addresses that it leads to, before one is dialled. The
 * policy is read once per attempt: a reload swaps the reference for those that come after.
 *
 * Whatever goes wrong before the action denies; whatever goes wrong in it ends that attempt alone.
 */
import { upstreamErrorCode } from './errors.ts';
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

/** One policy, compiled, with the catalogue and the groups that belong to it. */
export interface Snapshot {
  /** The hash of the policy, which each record bears. */
  readonly policy: string;
  readonly identify: Identify;
  /** What is known of addresses; null where no denial is about any, so that none needs to be known. */
  readonly locate: Locate | null;
  readonly decide: (question: Question, now: number) => { readonly decision: Decision; readonly action: Action };
}

type Opened<U> =
  { readonly kind: 'open'; readonly upstream: U | null } | { readonly kind: 'ended'; readonly outcome: Outcome };

export interface Stations<U extends Upstream> {
  readonly snapshot: () => Snapshot;
  /** Wall clock, milliseconds since the epoch: schedules are kept by it. */
  readonly now: () => number;
  readonly hello: (arrival: TunnelArrival, upstream: U | null) => Promise<Hello>;
  readonly act: {
    /** Where a name leads, at once where that is known; none where it leads nowhere. Never throws. */
    readonly addresses: (target: Target) => readonly string[] | Promise<readonly string[]>;
    readonly open: (decided: Decided<TunnelArrival>) => Opened<U> | Promise<Opened<U>>;
    readonly carry: (
      decided: Decided<TunnelArrival>,
      hello: Hello,
      upstream: U | null,
    ) => Outcome | null | Promise<Outcome | null>;
    readonly request: (decided: Decided<Answerable>) => Promise<Outcome>;
    readonly upgrade: (decided: Decided<UpgradeArrival>) => Promise<Outcome>;
    readonly abandon: (arrival: Arrival) => Promise<void>;
  };
  readonly record: {
    readonly decided: (decided: Decided) => void;
    readonly finished: (finished: Finished) => void;
    readonly rejected: (rejected: Rejected) => void;
  };
  /** An error that nothing expected; for the log and the counter. */
  readonly surprised: (error: unknown) => void;
}

export interface Lifecycle {
  /** Takes an attempt through its life. Never rejects. */
  readonly take: (arrival: Arrival) => Promise<void>;
}

/**
 * A later moment only adds knowledge: what was denied at the CONNECT stays denied, also when its rule ends meanwhile.
 * Where the action was to listen, nothing was decided yet.
 */
function remember({ decision, action }: Decided, question: Question): Question {
  if (decision.effect !== 'deny' || action.kind === 'listen') return question;
  return { ...question, denied: decision.denial };
}

export function createLifecycle<U extends Upstream>(stations: Stations<U>): Lifecycle {
  const { act, record } = stations;

  // Each step writes all fields down, as one kind of object: to spread one into another costs several times as much.
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
   * What is let through to a name is judged again by the addresses that it leads to, before one is dialled. Nothing is
   * awaited where they are known already, or no denial is about addresses.
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

  const finish = (decided: Decided, outcome: Outcome): void => {
    const { arrival, question, decision, action, policy, mayReach } = decided;
    const duration = performance.now() - arrival.started;
    record.finished({ arrival, question, decision, action, policy, mayReach, outcome, duration });
  };

  /** The last resort of every path: the attempt ends, is recorded as failed, and nobody else notices. */
  const fail = async (decided: Decided, error: unknown): Promise<void> => {
    stations.surprised(error);
    await act.abandon(decided.arrival).catch(stations.surprised);
    const code = upstreamErrorCode(error);
    finish(decided, {
      kind: 'failed',
      answer: null,
      status: null,
      error: code,
      bytesIn: 0,
      bytesOut: 0,
      upstream: null,
    });
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

  /** Identifying or deciding threw: there is no decision to record, and doubt denies. */
  const lost = async (arrival: Arrival, error: unknown): Promise<void> => {
    stations.surprised(error);
    await act.abandon(arrival).catch(stations.surprised);
    const { id, at, clientAddress, clientPort } = arrival;
    const detail = 'no decision was reached';
    record.rejected({ id, at, clientAddress, clientPort, code: 'internal_error', detail });
  };

  return { take: (arrival) => route(arrival).catch((error: unknown) => lost(arrival, error)) };
}
