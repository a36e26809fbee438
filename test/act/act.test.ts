/** Requests that came whole and alone: answered, or reset, and never passed on. All else of it is in the flows. */
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { createAct, type Act, type ActOptions } from '../../src/act/act.ts';
import type { Action, Decided, Denial, LoneArrival, Target } from '../../src/flow.ts';
import { rawClient, socketPair, type RawClient } from '../support/streams.ts';
import { failureAnswer } from '../support/wiring.ts';

const target: Target = { host: 'deny.test' as never, kind: 'name', port: 443 };
const denial = { rule: 'r', reason: 'because', manner: 'intercept' } as unknown as Denial;

const act: Act = createAct({
  answers: { denied: () => failureAnswer('policy_denied'), failed: failureAnswer },
} as unknown as ActOptions);

function lone(socket: Duplex, method = 'GET'): LoneArrival {
  const facts = { method, scheme: 'https', httpVersion: '1.1', path: '/', headers: {}, navigation: false } as const;
  const asked = { id: 'x', at: 0, started: 0, clientAddress: '127.0.0.1', clientPort: 1, target, userAgent: '' };
  return { ...asked, kind: 'request', facts, socket, tunnel: { id: 'outer', target, denial } };
}

function decided(arrival: LoneArrival, action: Action): Decided<LoneArrival> {
  return { arrival, question: {} as never, policy: '', decision: {} as never, action };
}

async function pair(): Promise<{ readonly near: Duplex; readonly far: RawClient }> {
  const { near, far } = await socketPair();
  const client = rawClient(far);
  far.on('end', () => far.end());
  return { near, far: client };
}

test('a denial is written in one piece, and the connection is closed', async () => {
  const { near, far } = await pair();
  const outcome = await act.request(decided(lone(near), { kind: 'block', denial }));
  const { text } = await far.ended;
  expect(text).toMatch(/^HTTP\/1\.1 403 [^]*\r\nConnection: close\r\n\r\n./);
  expect(outcome).toMatchObject({ kind: 'blocked', status: 403, bytesOut: text.split('\r\n\r\n')[1]?.length });
});

test('a reset is one', async () => {
  const { near, far } = await pair();
  expect(await act.request(decided(lone(near), { kind: 'reset' }))).toMatchObject({ kind: 'blocked', answer: 'reset' });
  expect((await far.ended).how).toBe('reset');
});

test('to pass it on would be a mistake', async () => {
  const { near } = await pair();
  expect(() => act.request(decided(lone(near), { kind: 'forward' }))).toThrow('does not fit this moment');
});

test('what fails by surprise is answered once, and reset where it was answered', async () => {
  const { near, far } = await pair();
  const { status, bytesOut } = await act.abandon(lone(near));
  expect(status).toBe(500);
  expect(bytesOut).toBeGreaterThan(0);
  expect((await far.ended).text).toContain('X-Proxy-Error: internal_error');
  const second = await pair();
  await act.request(decided(lone(second.near, 'HEAD'), { kind: 'block', denial }));
  expect(await act.abandon(lone(second.near))).toEqual({ status: null, bytesOut: 0 });
  expect((await second.far.ended).text.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThan(2);
});
