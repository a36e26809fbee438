/** What is let through to a name is judged by the addresses that it leads to; the rest is in lifecycle.test.ts. */
import { expect, test } from 'vitest';
import type {
  Arrival,
  Asked,
  Decided,
  Denial,
  Hostname,
  Locate,
  Outcome,
  Question,
  RequestArrival,
  TunnelArrival,
  UpgradeArrival,
} from '../src/flow.ts';
import { createLifecycle, type Stations } from '../src/lifecycle.ts';

const fine = '192.0.2.1';
const denied = '192.0.2.9';
const unknown = '203.0.113.7';

const denial = { rule: 'r', reason: 'because' } as Denial;
const base = { started: 0, target: { host: 'ok.test' as Hostname, kind: 'name', port: 443 } } as const;
const request = { ...base, kind: 'request' } as RequestArrival;
const upgrade = { ...base, kind: 'upgrade' } as UpgradeArrival;
const tunnel = { ...base, kind: 'tunnel' } as TunnelArrival;

const locateAll: Locate = (address) => (address === unknown ? null : { host: address as Hostname, service: null });

interface Script {
  readonly addresses?: readonly string[] | Promise<readonly string[]>;
  readonly locate?: Locate | null;
  /** What the name itself gets at the CONNECT; else it is let through. */
  readonly first?: 'denied' | 'listen';
}

/** Takes the arrival through its life; gives what was asked and what was done, in order. */
async function taken(arrival: Arrival, { addresses = [fine], locate = locateAll, first }: Script = {}) {
  const acted: Decided[] = [];
  const log: string[] = [];
  const act = (decided: Decided): Promise<Outcome> => {
    acted.push(decided);
    log.push(decided.action.kind);
    return Promise.resolve({} as Outcome);
  };
  const ask = <A extends Arrival>(asked: A, moment: Question['moment']): Asked<A> => ({
    arrival: asked,
    question: { moment } as Question,
  });
  const stations: Stations<{ readonly destroy: () => void }> = {
    snapshot: () => ({
      policy: 'hash',
      locate,
      identify: {
        connect: (asked) => ask(asked, 'connect'),
        hello: (asked) => ask(asked.arrival, 'hello'),
        request: (asked) => ask(asked, 'request'),
      },
      decide({ moment, dialled = [] }) {
        const isDenied = dialled.some(({ host }) => host === denied) || (first === 'denied' && moment !== 'hello');
        if (isDenied)
          return { decision: { effect: 'deny', rule: 'r', reason: '', denial }, action: { kind: 'block', denial } };
        const kind =
          moment === 'request' ? 'forward' : moment === 'connect' && first === 'listen' ? 'listen' : 'tunnel';
        return { decision: { effect: 'allow', rule: 'a', reason: '' }, action: { kind } };
      },
    }),
    now: () => 0,
    hello: () => Promise.resolve({ kind: 'other', why: 'silent', bytes: Buffer.alloc(0) }),
    act: {
      addresses() {
        log.push('addresses');
        return addresses;
      },
      async open(decided) {
        await act(decided);
        const upstream = decided.action.kind === 'tunnel' ? { destroy: () => undefined } : null;
        return { kind: 'open', upstream };
      },
      carry: act,
      request: act,
      upgrade: act,
      abandon: () => Promise.resolve({ status: null, bytesOut: 0 }),
    },
    record: { decided: () => undefined, finished: () => undefined, rejected: () => undefined },
    surprised(error) {
      throw error;
    },
  };
  await createLifecycle(stations).take(arrival);
  return { acted, log };
}

test.each([
  ['a request', request, 'at once', [fine]],
  ['a request', request, 'later', Promise.resolve([fine])],
  ['an upgrade', upgrade, 'at once', [fine]],
  ['a tunnel', tunnel, 'later', Promise.resolve([fine])],
] as const)('%s whose addresses are known %s goes on, and only to addresses that may be reached', async (...given) => {
  const [, arrival, , addresses] = given;
  const { acted, log } = await taken(arrival, { addresses });
  expect(log[0]).toBe('addresses');
  expect(acted.length).toBeGreaterThan(0);
  for (const { decision, question, mayReach } of acted) {
    expect(decision.effect).toBe('allow');
    if (question.moment !== 'hello') expect(question.dialled).toEqual([{ host: fine, service: null }]);
    expect([fine, denied, unknown].map((address) => mayReach?.(address))).toEqual([true, false, true]);
  }
});

test.each([
  ['request', request],
  ['upgrade', upgrade],
] as const)('a %s to a name that leads to a denied address gets its denial', async (_, arrival) => {
  const { log } = await taken(arrival, { addresses: [unknown, fine, denied] });
  expect(log).toEqual(['addresses', 'block']);
});

test.each([
  ['what is denied by its name', { first: 'denied' }],
  ['where no denial is about addresses', { locate: null }],
] as const)('nothing is resolved for %s', async (_, script) => {
  const { acted, log } = await taken(request, script);
  expect(log).toHaveLength(1);
  expect(acted[0]?.mayReach).toBeUndefined();
});

test('a tunnel that waits for its hello is judged by its addresses behind that', async () => {
  expect((await taken(tunnel, { first: 'listen' })).log).toEqual(['listen', 'addresses', 'tunnel']);
  expect((await taken(tunnel, { first: 'listen', addresses: [denied] })).log).toEqual(['listen', 'addresses', 'block']);
});
