import { expect, test } from 'vitest';
import { SallyportError } from '../src/errors.ts';
import type {
  Action,
  Arrival,
  Asked,
  Decided,
  Decision,
  Denial,
  Hello,
  Hostname,
  Outcome,
  Question,
  RequestArrival,
  TunnelArrival,
  UpgradeArrival,
} from '../src/flow.ts';
import { createLifecycle, type Stations } from '../src/lifecycle.ts';

const denial = { rule: 'r', reason: 'because' } as Denial;
const allow: Decision = { effect: 'allow', rule: 'a', reason: 'fine' };
const deny: Decision = { effect: 'deny', rule: 'r', reason: 'because', denial };
const passed: Outcome = {
  kind: 'passed',
  answer: null,
  status: 200,
  error: null,
  bytesIn: 1,
  bytesOut: 2,
  upstream: null,
};
const hello: Hello = { kind: 'tls', serverName: null, alpn: [], ech: false, resumable: true, bytes: Buffer.alloc(0) };

const base = {
  id: 'id',
  at: 1,
  started: performance.now(),
  clientAddress: '192.0.2.1',
  clientPort: 1,
  target: { host: 'ok.test' as Hostname, kind: 'name', port: 443 },
  userAgent: '',
} as const;
const tunnel = { ...base, kind: 'tunnel' } as TunnelArrival;
const request = { ...base, kind: 'request' } as RequestArrival;
const upgrade = { ...base, kind: 'upgrade' } as UpgradeArrival;

interface Upstream {
  readonly destroy: () => void;
}

interface Bench {
  readonly take: (arrival: Arrival) => Promise<void>;
  /** What happened, in order. */
  readonly log: string[];
  readonly finished: Outcome[];
  readonly questions: Question[];
}

interface Script {
  /** The step that throws, by the name that it has in the log. */
  readonly throws?: string;
  readonly error?: Error;
  readonly open?: 'open' | 'ended';
  readonly carried?: Outcome | null;
  /** What is decided at the CONNECT; at the hello it is always to allow. */
  readonly first?: { readonly decision: Decision; readonly action: Action };
}

function bench(script: Script = {}): Bench {
  const log: string[] = [];
  const finished: Outcome[] = [];
  const questions: Question[] = [];
  const step = (name: string): void => {
    log.push(name);
    if (name === script.throws) throw script.error ?? new TypeError('a bug');
  };
  const upstream: Upstream = { destroy: () => log.push('destroy') };
  const ask = <A extends Arrival>(name: string, arrival: A, moment: Question['moment']): Asked<A> => {
    step(name);
    const known = {
      client: { address: '', user: null, groups: new Set<string>() },
      target: arrival.target,
      service: null,
    };
    return { arrival, question: { moment, ...known, serverName: null, navigation: false, denied: null } };
  };
  const stations: Stations<Upstream> = {
    snapshot: () => {
      step('snapshot');
      return {
        policy: 'hash',
        locate: null,
        identify: {
          connect: (arrival) => ask('identify connect', arrival, 'connect'),
          hello: (asked) => ask('identify hello', asked.arrival, 'hello'),
          request: (arrival) => ask('identify request', arrival, 'request'),
        },
        decide: (question, now) => {
          step(`decide ${question.moment}`);
          expect(now).toBe(42);
          questions.push(question);
          if (question.moment === 'connect' && script.first !== undefined) return script.first;
          return { decision: allow, action: { kind: question.moment === 'request' ? 'forward' : 'tunnel' } };
        },
      };
    },
    now: () => 42,
    hello: () => {
      step('hello');
      return Promise.resolve(hello);
    },
    act: {
      addresses: () => [],
      open: () => {
        step('open');
        return Promise.resolve(
          script.open === 'ended' ? { kind: 'ended', outcome: passed } : { kind: 'open', upstream },
        );
      },
      carry: (decided: Decided<TunnelArrival>) => {
        step(`carry ${decided.action.kind}`);
        return Promise.resolve(script.carried === undefined ? passed : script.carried);
      },
      request: () => {
        step('request');
        return Promise.resolve(passed);
      },
      upgrade: () => {
        step('upgrade');
        return Promise.resolve(passed);
      },
      abandon: () => {
        step('abandon');
        return Promise.resolve({ status: 500, bytesOut: 7 });
      },
    },
    record: {
      decided: () => step('decided'),
      finished: ({ outcome, duration }) => {
        step('finished');
        expect(duration).toBeGreaterThanOrEqual(0);
        finished.push(outcome);
      },
      rejected: ({ code }) => step(`rejected ${code}`),
    },
    surprised: () => log.push('surprised'),
  };
  return { ...createLifecycle(stations), log, finished, questions };
}

const begun = ['snapshot', 'identify connect', 'decide connect', 'decided', 'open'];

test('a tunnel has two moments and one policy', async () => {
  const { take, log, finished } = bench();
  await take(tunnel);
  expect(log).toEqual([...begun, 'hello', 'identify hello', 'decide hello', 'carry tunnel', 'finished']);
  expect(finished).toEqual([passed]);
});

test('a tunnel that ends at its first moment has no second', async () => {
  const { take, log } = bench({ open: 'ended' });
  await take(tunnel);
  expect(log).toEqual([...begun, 'finished']);
});

test('a tunnel whose requests were recorded is not recorded itself', async () => {
  const { take, finished, log } = bench({ carried: null });
  await take(tunnel);
  expect(finished).toEqual([]);
  expect(log).not.toContain('surprised');
});

test.each([
  ['request', request],
  ['upgrade', upgrade],
] as const)('%s: once through', async (kind, arrival) => {
  const { take, log } = bench();
  await take(arrival);
  expect(log).toEqual(['snapshot', 'identify request', 'decide request', 'decided', kind, 'finished']);
});

test.each([
  ['a denial at the CONNECT is not forgotten at the hello', deny, { kind: 'intercept', denial }, denial],
  ['where it was only to listen, nothing was decided', deny, { kind: 'listen' }, null],
  ['what was allowed is no denial', allow, { kind: 'tunnel' }, null],
] as const)('%s', async (_, decision, action, denied) => {
  const { take, questions } = bench({ first: { decision, action } });
  await take(tunnel);
  expect(questions.map((question) => question.denied)).toEqual([null, denied]);
});

test.each([
  ['open', tunnel, false],
  ['hello', tunnel, true],
  ['identify hello', tunnel, true],
  ['decide hello', tunnel, true],
  ['carry tunnel', tunnel, true],
  ['request', request, false],
  ['upgrade', upgrade, false],
] as const)(
  'when %s throws, the attempt is abandoned, recorded once as failed, and its upstream let go',
  async (throws, arrival, opened) => {
    const { take, log, finished } = bench({ throws });
    await take(arrival);
    expect(log.slice(log.indexOf(throws) + 1)).toEqual([
      ...(opened ? ['destroy'] : []),
      'surprised',
      'abandon',
      'finished',
    ]);
    expect(finished).toMatchObject([{ kind: 'failed', error: 'internal_error', status: 500, bytesOut: 7 }]);
  },
);

test('a known failure keeps its code', async () => {
  const { take, finished } = bench({ throws: 'request', error: new SallyportError('loop_detected') });
  await take(request);
  expect(finished).toMatchObject([{ kind: 'failed', error: 'loop_detected' }]);
});

test.each([
  ['snapshot', tunnel],
  ['identify connect', tunnel],
  ['decide connect', tunnel],
  ['identify request', request],
  ['decide request', upgrade],
  ['decided', tunnel],
] as const)('when %s throws, nothing is acted on: doubt denies', async (throws, arrival) => {
  const { take, log, finished } = bench({ throws });
  await take(arrival);
  expect(log.slice(log.indexOf(throws) + 1)).toEqual(['surprised', 'abandon', 'rejected internal_error']);
  expect(finished).toEqual([]);
});
