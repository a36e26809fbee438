/** `sallyport serve` as a process: how it starts, reloads, drains, and says no. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { labPolicy, repository, writeConfig } from '../support/lab.ts';
import { closedPort, recorder } from '../support/origins.ts';
import { run, serve, type Product } from '../support/product.ts';
import { connectRaw, eventually } from '../support/streams.ts';
import { connectHead, openTunnel, rawTunnel } from '../support/tunnels.ts';

/** Whether something listens on a loopback port. */
async function answers(port: number): Promise<boolean> {
  return (await curl(`http://127.0.0.1:${port}/`)).exit !== 7;
}

function bash(command: string, cwd: string): Promise<string> {
  const env = { PATH: process.env['PATH'], NO_PROXY: '' };
  return new Promise((resolve) => execFile('bash', ['-c', command], { cwd, env }, (_error, out) => resolve(out)));
}

/** Three ports that are free, and the settings to listen on them. */
async function freePorts() {
  const ports = { proxy: await closedPort(), pages: await closedPort(), admin: await closedPort() };
  const at = (port: number): string => `127.0.0.1:${port}`;
  return { ports, listen: { proxy: at(ports.proxy), pages: at(ports.pages), admin: at(ports.admin) } };
}

/** Whether a process may have fewer files open. */
function few(wanted: number): boolean {
  if (!existsSync('/proc/self/limits')) return false;
  const most = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return most !== undefined && Number(most) < wanted;
}

async function reloads(product: Product, signal: () => void): Promise<string> {
  const before = product.stderr().length;
  signal();
  await eventually('word of the reload', () => /reload.*\n/.test(product.stderr().slice(before)));
  return product.stderr().slice(before);
}

test('the port over TLS is shown beside the plain one', async () => {
  const { listen } = await freePorts();
  const address = `127.0.0.1:${await closedPort()}`;
  const product = await serve({
    settings: { listen: { ...listen, proxy_tls: { address, server_names: ['localhost'] } } },
  });
  expect(product.stdout()).toContain(
    `  proxy  http://${listen.proxy}\n  TLS    https://${address}  (the same proxy)\n`,
  );
});

test('the commands that it shows at its start go to this machine, with a password where one is wanted', async () => {
  const file = writeConfig();
  onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
  const users = join(dirname(file), 'users');
  writeFileSync(users, `ada:$2y$05$${'a'.repeat(53)}\n`);
  const every = { proxy: '0.0.0.0:0', pages: '0.0.0.0:0', admin: '0.0.0.0:0' };
  const pages = { url: 'http://proxy.test:8128' };
  const product = await serve({
    settings: { listen: every, pages, clients: { authentication: { password_file: users } } },
  });
  const shown = product.stdout().split('Try it')[1] ?? '';
  expect(shown).not.toContain('0.0.0.0');
  expect(shown).toMatch(/-x http:\/\/USER:PASSWORD@127\.0\.0\.1:\d+ http:\/\/127\.0\.0\.1:\d+\/assistant /);
  expect(shown).toMatch(/-x http:\/\/USER:PASSWORD@127\.0\.0\.1:\d+ --cacert /);
  expect(shown).toMatch(/curl -sS http:\/\/127\.0\.0\.1:\d+\/metrics/);
});

test('says at its start how many workers serve, who reaches the admin port, and that files are too few', async () => {
  const limits = { connections: 1_000_000 };
  const one = await serve({ settings: { limits, listen: { ...(await freePorts()).listen, admin: '0.0.0.0:0' } } });
  expect(one.stdout()).toMatch(/^Sallyport .*, policy [0-9a-f]{12}, 1 worker\n/);
  expect(one.stdout()).toMatch(
    /admin {2}http:\S+ {2}\(other machines can reach it; \/api refuses everybody until admin\.token_file/,
  );
  const told = /the open-file limit is \d+, but 1000000 connections .* need 2000200; raise LimitNOFILE/;
  expect(told.test(one.stderr())).toBe(few(2_000_200));
  const two = await serve({ settings: { workers: 2, limits: { connections: 100 } } });
  expect(two.stdout()).toMatch(/, 2 workers\n/);
  expect(two.stdout()).not.toContain('token_file');
  expect(two.stderr()).not.toContain('open-file limit');
});

test.each([
  ['denies bare addresses', labPolicy.replace(/ {2}- \{ id: loopback.*\n/, ''), {}, ['denied', 'counted']],
  ['denies nobody', 'rules: []\ndefaults: { raw_address: allow }\n', {}, ['allowed', 'counted']],
  [
    'refuses at the CONNECT',
    labPolicy.replace('effect: deny', 'effect: deny, manner: refuse'),
    {},
    ['allowed', 'counted'],
  ],
  ['lets nobody reach this machine', labPolicy, { outbound: { allow: ['*.test'] } }, ['denied', 'counted']],
])(
  'a start whose configuration %s shows no command that would do another thing',
  async (_, policy, settings, shown) => {
    const product = await serve({ policy, settings });
    expect(product.stdout().match(/(?<=^ {2}# )\w+/gm)).toEqual(shown);
  },
);

test('the three lines it prints do what they say', async () => {
  // The stand-in for the assistant is reached through the proxy on the pages port, as in the shipped configuration.
  const { ports, listen } = await freePorts();
  const settings = { listen, outbound: { allow: [`127.0.0.1:${ports.pages}`] }, limits: { connections: 100 } };
  const product = await serve({ settings });
  const lines = product
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('  curl '));
  expect(lines).toHaveLength(3);
  const [allowed = '', denied = '', counted = ''] = lines;
  const count = async (): Promise<number> => Number(/ (\d+)\n$/.exec(await bash(counted, repository))?.[1] ?? 0);

  expect(await bash(allowed, repository)).toBe('200\n');
  expect(await count()).toBe(0);
  for (const attempt of [1, 2, 3]) {
    expect(JSON.parse(await bash(denied, repository))).toMatchObject({
      type: 'error',
      policy: { vendor: 'anthropic' },
    });
    expect(await count()).toBe(attempt);
  }
  expect(await product.metric('sallyport_requests_total', 'kind="tunnel"', 'outcome="passed"')).toBe(1);
  expect(product.stderr()).toBe('');
});

test('says nothing on standard error that is not its own, whatever passes through', async () => {
  const product = await serve({ settings: { access_log: { path: 'none' } } });
  const origin = await recorder('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
  const proxy = ['-x', `http://127.0.0.1:${product.proxyPort}`];
  expect((await curl(...proxy, `http://ok.test:${origin.port}/`)).out).toBe('ok');
  await curl(...proxy, '--cacert', join(product.dir, 'certs/ca.pem'), 'https://claude.ai/');
  product.kill('SIGTERM');
  expect(await product.ended).toEqual({ code: 0, signal: null });
  const lines = product
    .stderr()
    .split('\n')
    .filter((line) => line !== '');
  expect(lines.filter((line) => !line.startsWith('sallyport: '))).toEqual([]);
});

test('a broken policy is one line with file, line and cure, exit 2, and no port is opened', async () => {
  const { ports, listen } = await freePorts();
  const policy = labPolicy.replace('effect: monitor', 'efect: monitor');
  const line = policy.slice(0, policy.indexOf('efect')).split('\n').length;
  const file = writeConfig({ policy, settings: { listen } });
  const started = run(['serve', '-c', file]);
  expect(await started.ended).toEqual({ code: 2, signal: null });
  expect(started.stdout()).toBe('');
  expect(started.stderr()).toMatch(/^sallyport: [^\n]+\n$/);
  expect(started.stderr()).toContain(`policy.yaml:${line}:`);
  expect(started.stderr()).toMatch(/"efect".*"effect"/);
  for (const port of Object.values(ports)) expect(await answers(port)).toBe(false);
});

test.each(['proxy', 'pages', 'admin'] as const)(
  'a %s port that is taken is one line and exit 2, and the others are closed again',
  async (what) => {
    const { ports, listen } = await freePorts();
    const taker = createServer((socket) => socket.destroy()).listen(ports[what], '127.0.0.1');
    await once(taker, 'listening');
    onTestFinished(() => void taker.close());
    const started = run(['serve', '-c', writeConfig({ settings: { listen } })]);
    expect(await started.ended).toEqual({ code: 2, signal: null });
    const { port } = taker.address() as AddressInfo;
    expect(started.stderr()).toMatch(/^sallyport: [^\n]+\n$/);
    expect(started.stderr()).toContain(`cannot listen on 127.0.0.1:${port} (EADDRINUSE)`);
    expect(started.stderr()).toContain(`listen.${what}`);
    expect(started.stdout()).toBe('');
    for (const [name, other] of Object.entries(ports)) if (name !== what) expect(await answers(other)).toBe(false);
  },
);

test('TERM lets what is open go on, takes nothing new, and then ends with 0', async () => {
  const product = await serve();
  const origin = await recorder('ready');
  const tunnel = await rawTunnel(product.proxyPort, `ok.test:${origin.port}`);
  await tunnel.until('ready');
  const idle = await connectRaw(product.proxyPort);
  // Only when the door has taken it, it can be turned away politely.
  await expect.poll(() => product.metric('sallyport_connections_open')).toBe(2);
  product.kill('SIGTERM');
  await eventually('word of the drain', () => product.stderr().includes('draining'));

  expect((await idle.ended).text).toMatch(/^HTTP\/1\.1 503 /);
  await expect(connectRaw(product.proxyPort)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(
    (await curl('-o', '/dev/null', '-w', '%{http_code}', `http://127.0.0.1:${product.adminPort}/readyz`)).out,
  ).toBe('503');
  tunnel.write('still here');
  await eventually('bytes through the tunnel', () => origin.seen().toString() === 'still here');
  tunnel.socket.end();
  expect((await tunnel.ended).how).toBe('fin');
  expect(await product.ended).toEqual({ code: 0, signal: null });
  expect(product.stdout()).toContain('"outcome":"passed"');
});

test('TERM ends what is still open when the drain time is over', async () => {
  const product = await serve({ settings: { limits: { drain_timeout: '200ms' } } });
  const origin = await recorder('ready');
  const tunnel = await rawTunnel(product.proxyPort, `ok.test:${origin.port}`);
  await tunnel.until('ready');
  product.kill('SIGTERM');
  expect((await tunnel.ended).how).toBe('reset');
  expect(await product.ended).toEqual({ code: 0, signal: null });
});

test.each(['SIGTERM', 'SIGINT'] as const)('a second signal, %s, stops now', async (second) => {
  const product = await serve();
  const origin = await recorder('ready');
  const tunnel = await rawTunnel(product.proxyPort, `ok.test:${origin.port}`);
  await tunnel.until('ready');
  product.kill('SIGTERM');
  await eventually('word of the drain', () => product.stderr().includes('draining'));
  const started = performance.now();
  product.kill(second);
  expect((await tunnel.ended).how).toBe('reset');
  expect(await product.ended).toEqual({ code: 0, signal: null });
  // The drain time is 30 s.
  expect(performance.now() - started).toBeLessThan(5_000);
  expect(product.stderr()).toContain('stopping now');
});

test('HUP while it starts ends nothing, and is obeyed once it serves', async () => {
  const file = writeConfig();
  onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
  const starting = run(['serve', '-c', file]);
  await eventually('the first file of its own', () => existsSync(join(dirname(file), 'certs/ca.key')));
  starting.kill('SIGHUP');
  await eventually('the welcome', () => starting.stdout().includes('# counted'));
  await eventually('a reload', () => starting.stderr().includes('reloaded: '));
});

test.each([1, 2])('with %i workers goes on where nobody reads what it says any more', async (workers) => {
  const product = await serve({ settings: { workers } });
  const readSince = (): Promise<number> => product.metric('sallyport_config_last_reload_success_timestamp_seconds');
  product.leave();
  for (let time = 1; time <= 3; time += 1) {
    const before = await readSince();
    product.kill('SIGHUP');
    await expect.poll(readSince).toBeGreaterThan(before);
  }
  expect(await product.metric('sallyport_uncaught_exceptions_total')).toBe(0);
  const denied = await curl('-x', `http://127.0.0.1:${product.proxyPort}`, 'http://claude.ai/');
  expect(denied.out).toContain('claude-ban');
  product.kill('SIGTERM');
  expect(await product.ended).toEqual({ code: 0, signal: null });
});

test('HUP puts a new policy into force, and keeps the old one where the new is broken', async () => {
  const product = await serve();
  const origin = await recorder('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
  const policyFile = join(product.dir, 'policy.yaml');
  const ask = async (): Promise<string> =>
    (await curl('-x', `http://127.0.0.1:${product.proxyPort}`, `http://ok.test:${origin.port}/`)).out;
  const hup = (): Promise<string> => reloads(product, () => product.kill('SIGHUP'));
  const open = await openTunnel(product.proxyPort, `ok.test:${origin.port}`);
  expect(await ask()).toBe('ok');

  writeFileSync(
    policyFile,
    labPolicy.replace('rules:', 'rules:\n  - { id: new, domains: ok.test, effect: deny, reason: Since the reload. }'),
  );
  expect(await hup()).toMatch(/^sallyport: reloaded: \d+ rules, policy [0-9a-f]{12}\n$/);
  expect(await ask()).toContain('Since the reload.');
  expect(await product.metric('sallyport_config_last_reload_successful')).toBe(1);
  expect(open.destroyed).toBe(false);
  const hash = /sallyport_policy_info\{hash="([^"]+)"/.exec(await product.metrics())?.[1];

  for (const broken of ['rules: [', '', labPolicy.replace('vendors: anthropic', 'vendors: anthropc')]) {
    writeFileSync(policyFile, broken);
    const told = await hup();
    expect(told).toMatch(/^sallyport: reload failed, the old policy stays: [^\n]*policy\.yaml[^\n]*\n$/);
    expect(await product.metric('sallyport_config_last_reload_successful')).toBe(0);
    expect(await product.metric('sallyport_policy_info', `hash="${hash ?? ''}"`)).toBe(1);
    expect(await ask()).toContain('Since the reload.');
  }

  writeFileSync(policyFile, labPolicy);
  await hup();
  expect(await product.metric('sallyport_config_last_reload_successful')).toBe(1);
  expect(await ask()).toBe('ok');
});

test('a CONNECT is answered 503 or refused while it drains, never ended without a word', async () => {
  const product = await serve();
  const half = await connectRaw(product.proxyPort, connectHead('ok.test:443').slice(0, 20));
  await expect.poll(() => product.metric('sallyport_connections_open')).toBe(1);
  product.kill('SIGTERM');
  const { how, text } = await half.ended;
  expect(how).toBe('fin');
  expect(text).toMatch(/^HTTP\/1\.1 503 [\s\S]*X-Proxy-Error: draining/);
  expect(await product.ended).toEqual({ code: 0, signal: null });
});
