/** Tunnels that were open when a denial came into force: kept, ended after a while, or ended at once. */
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { expect, onTestFinished, test } from 'vitest';
import { labPolicy, type Lab, type LabOptions } from '../support/lab.ts';
import { labOfTest, recorder } from '../support/origins.ts';
import { eventually } from '../support/streams.ts';
import { rawTunnel } from '../support/tunnels.ts';

function policyWith(rule: string): string {
  return labPolicy.replace(
    'rules:',
    `rules:\n  - { id: late, domains: ok.test, effect: deny, reason: Late., ${rule} }`,
  );
}

async function opened(options: LabOptions = {}): Promise<{ lab: Lab; tunnel: Awaited<ReturnType<typeof rawTunnel>> }> {
  const origin = await recorder('ready');
  const lab = await labOfTest(options);
  const tunnel = await rawTunnel(lab.proxyPort, `ok.test:${origin.port}`);
  await tunnel.until('ready');
  return { lab, tunnel };
}

function put(lab: Lab, policy: string): void {
  writeFileSync(join(lab.dir, 'policy.yaml'), policy);
  expect(lab.gateway.reload()).toBe(true);
}

const denied = (lab: Lab, how: string): Promise<number> =>
  lab.metric('sallyport_open_tunnels_denied_total', 'rule="late"', `open_tunnels="${how}"`);

test('cut: ended by RST at once, and the line of the log says by which rule', async () => {
  const { lab, tunnel } = await opened();
  // The one that let it through, not the one that ended it.
  const policy = lab.gateway.config().policyHash;
  put(lab, policyWith('open_tunnels: cut'));
  expect((await tunnel.ended).how).toBe('reset');
  await eventually('the line', () => lab.lines().length === 1);
  expect(lab.lines()[0]).toMatchObject({
    rule: { id: 'default-unlisted' },
    sallyport: { policy, effect: 'allow', outcome: 'failed', error: 'policy_changed', ended_by: 'late' },
  });
  expect(await denied(lab, 'cut')).toBe(1);
  await eventually('word of it', () =>
    lab.told.some((line) => line === 'open tunnels that are now denied: 1 closed, 0 draining, 0 kept'),
  );
});

test('keep: goes on, and is counted once, however often it is judged', async () => {
  const { lab, tunnel } = await opened();
  for (const reason of ['A', 'B', 'C']) put(lab, policyWith('open_tunnels: keep').replace('Late.', reason));
  await expect.poll(() => denied(lab, 'keep')).toBe(1);
  tunnel.write('still');
  tunnel.socket.end();
  expect((await tunnel.ended).how).toBe('fin');
  await eventually('the line', () => lab.lines().length === 1);
  expect(lab.lines()[0]).toMatchObject({ sallyport: { outcome: 'passed' } });
  expect(await denied(lab, 'keep')).toBe(1);
});

test('keep that becomes cut under the same rule ends it, and counts it once', async () => {
  const { lab, tunnel } = await opened();
  put(lab, policyWith('open_tunnels: keep'));
  await expect.poll(() => denied(lab, 'keep')).toBe(1);
  put(lab, labPolicy);
  put(lab, policyWith('open_tunnels: cut'));
  expect((await tunnel.ended).how).toBe('reset');
  expect(await lab.metric('sallyport_open_tunnels_denied_total', 'rule="late"')).toBe(1);
});

test('drain: goes on while bytes move, and ends when none have for a while', async () => {
  const { lab, tunnel } = await opened({ settings: { tunnels: { drain_idle: '1s' } } });
  const began = performance.now();
  const busy = setInterval(() => tunnel.write('x'), 100);
  onTestFinished(() => clearInterval(busy));
  put(lab, policyWith('open_tunnels: drain'));
  await expect.poll(() => denied(lab, 'drain')).toBe(1);
  let over = false;
  void tunnel.ended.then(() => (over = true));
  await expect.poll(() => performance.now() - began, { timeout: 5_000 }).toBeGreaterThan(2_500);
  expect(over).toBe(false);
  clearInterval(busy);
  expect((await tunnel.ended).how).toBe('reset');
  await eventually('the line', () => lab.lines().length === 1);
  expect(lab.lines()[0]).toMatchObject({ sallyport: { error: 'policy_changed', ended_by: 'late' } });
});

test('drain: ends when the drain time is over, busy or not; and not at all where it is allowed again', async () => {
  const { lab, tunnel } = await opened({ settings: { tunnels: { drain_timeout: '1s' } } });
  const busy = setInterval(() => tunnel.write('x'), 50);
  onTestFinished(() => clearInterval(busy));
  put(lab, policyWith('open_tunnels: drain'));
  await expect.poll(() => denied(lab, 'drain')).toBe(1);
  put(lab, labPolicy);
  const began = performance.now();
  let over = false;
  void tunnel.ended.then(() => (over = true));
  await expect.poll(() => performance.now() - began, { timeout: 5_000 }).toBeGreaterThan(2_200);
  expect(over).toBe(false);
  put(lab, policyWith('open_tunnels: drain'));
  expect((await tunnel.ended).how).toBe('reset');
});

test('the default of the policy says what becomes of them where the rule does not', async () => {
  const { lab, tunnel } = await opened();
  put(lab, policyWith('link: "https://help.test/"').replace('defaults: {', 'defaults: { open_tunnels: cut,'));
  expect((await tunnel.ended).how).toBe('reset');
});

test.each([
  ['a rule that begins', 'from: 2026-07-10', ''],
  [
    'an exception that ends',
    '',
    'exceptions:\n  - { id: spared, domains: ok.test, until: 2026-07-10, approved_by: CISO, reason: Spared. }\n',
  ],
])('time alone does it too: %s', async (_, when, exceptions) => {
  let now = Date.parse('2026-07-09T23:59:00Z');
  const policy = policyWith(`open_tunnels: cut${when === '' ? '' : `, ${when}`}`).replace(
    'rules:',
    `${exceptions}rules:`,
  );
  const { lab, tunnel } = await opened({ policy, now: () => now });
  now = Date.parse('2026-07-10T00:00:00Z');
  expect((await tunnel.ended).how).toBe('reset');
  expect(await denied(lab, 'cut')).toBe(1);
});

test('an exception that is taken away ends what it had let through', async () => {
  const { lab, tunnel } = await opened({
    policy: policyWith('open_tunnels: cut').replace(
      /^rules:/m,
      'exceptions:\n  - { id: mine, domains: ok.test, until: 2090-01-01, approved_by: CISO, reason: Spared. }\nrules:',
    ),
  });
  put(lab, policyWith('open_tunnels: cut'));
  expect((await tunnel.ended).how).toBe('reset');
});

test('a WebSocket in the clear is ended as well', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const lab = await labOfTest();
  const socket = new WebSocket(`ws://ok.test:${port}/`, { agent: new HttpsProxyAgent(lab.proxyUrl) });
  onTestFinished(() => socket.terminate());
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve).once('error', () => undefined));
  put(lab, policyWith('open_tunnels: cut'));
  expect(await closed).toBe(1006);
});

test('2,000 at once, while others are served', { timeout: 60_000 }, async () => {
  const origin = await recorder('ready');
  const lab = await labOfTest();
  const tunnels = await Promise.all(
    Array.from({ length: 2_000 }, () => rawTunnel(lab.proxyPort, `ok.test:${origin.port}`)),
  );
  await Promise.all(tunnels.map((tunnel) => tunnel.until('ready')));
  put(lab, policyWith('open_tunnels: cut'));
  const ends = await Promise.all(tunnels.map((tunnel) => tunnel.ended));
  expect(ends.every(({ how }) => how === 'reset')).toBe(true);
  expect(await denied(lab, 'cut')).toBe(2_000);
  await expect.poll(() => lab.metric('sallyport_tunnels_open')).toBe(0);
});
