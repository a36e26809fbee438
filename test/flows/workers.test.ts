/** Several processes that are one proxy: what one knows the others know, and one that dies takes only its own along. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { labPolicy, writeConfig } from '../support/lab.ts';
import { closedPort, recorder } from '../support/origins.ts';
import { procIsThere, run, type Product } from '../support/product.ts';
import { eventually } from '../support/streams.ts';
import { askOver, openTunnel, rawTunnel } from '../support/tunnels.ts';
import { by, lines, proxyOf, refilled, serveByTurns, workersOf } from '../support/workers.ts';

const checked = procIsThere('several workers');

function serveTwo(settings: Readonly<Record<string, unknown>> = {}): Promise<Product> {
  return serveByTurns({ settings: { workers: 2, access_log: { path: 'access.log' }, ...settings } });
}

const caOf = ({ dir }: Product): string => join(dir, 'certs/ca.pem');

/** Asks Anthropic; gives the answer's body and the id of the block. */
async function denied(product: Product): Promise<{ readonly text: string; readonly id: string }> {
  const args = ['-i', '-x', proxyOf(product), '--cacert', caOf(product), 'https://api.anthropic.com/v1/models'];
  const { out } = await curl(...args);
  return { text: out, id: /[0-9a-f]{24}/.exec(out)?.[0] ?? '' };
}

test.runIf(checked)('one port, one log of whole lines, one sum of metrics', async () => {
  const product = await serveTwo();
  const origin = await recorder('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
  const [a = 0, b = 0] = workersOf(product);
  const ask = async (): Promise<string> =>
    (await curl('-x', proxyOf(product), `http://ok.test:${origin.port}/${'x'.repeat(500)}`)).out;
  for (const worker of [a, b, a, b]) expect(await by(product, worker, ask)).toBe('ok');
  expect(await Promise.all(Array.from({ length: 40 }, ask))).toEqual(Array.from({ length: 40 }, () => 'ok'));

  const written = await lines(product, 44);
  expect(written).toHaveLength(44);
  for (const line of written) expect(JSON.parse(line)).toMatchObject({ sallyport: { outcome: 'passed' } });
  expect(await product.metric('sallyport_requests_total', 'kind="request"', 'outcome="passed"')).toBe(44);
  expect(await product.metric('sallyport_workers')).toBe(2);
  expect(await product.metric('sallyport_build_info')).toBe(1);
  expect(await product.metric('sallyport_policy_info')).toBe(1);
});

test.runIf(checked)('a block of either worker has its page, and one client against one rule is one event', async () => {
  const product = await serveTwo({ block_events: { path: 'events.log' } });
  for (const worker of workersOf(product)) {
    const { text, id } = await by(product, worker, () => denied(product));
    expect(text).toContain('Claude Code is classified as high-risk.');
    const page = async (): Promise<string> => (await curl(`http://127.0.0.1:${product.pagesPort}/blocked/${id}`)).out;
    await expect.poll(page).toContain('Claude Code is classified as high-risk.');
  }
  await expect.poll(() => product.metric('sallyport_block_events_total', 'rule="claude-ban"')).toBe(1);
  expect(await product.metric('sallyport_blocked_total', 'rule="claude-ban"')).toBe(2);
  await expect.poll(() => product.metric('sallyport_client_trust_total', 'result="accepted"')).toBe(2);
  expect(readFileSync(join(product.dir, 'events.log'), 'utf8').split('\n').slice(0, -1)).toHaveLength(1);
});

test.runIf(checked).each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a session of one worker is resumed by the other, %s',
  async (version) => {
    const product = await serveTwo();
    const [a = 0, b = 0] = workersOf(product);
    const options = {
      ca: readFileSync(caOf(product)),
      servername: 'api.anthropic.com',
      minVersion: version,
      maxVersion: version,
    };
    /** Shakes hands, and asks, since TLS 1.3 gives its tickets only then. */
    const shake = async (
      session?: Buffer,
    ): Promise<{ readonly reused: boolean; readonly session: Buffer | undefined }> => {
      const socket = await openTunnel(product.proxyPort, 'api.anthropic.com:443');
      const tls = connectTls({ ...options, socket, session });
      onTestFinished(() => void tls.destroy());
      let given = session;
      tls.on('error', () => undefined).on('session', (ticket: Buffer) => (given = ticket));
      await askOver(tls, { headers: { Host: 'api.anthropic.com' } });
      return { reused: tls.isSessionReused(), session: given };
    };
    const first = await by(product, a, () => shake());
    expect(first.reused).toBe(false);
    expect((await by(product, b, () => shake(first.session))).reused).toBe(true);
    expect((await by(product, a, () => shake(first.session))).reused).toBe(true);
  },
);

test.runIf(checked)(
  'a client that refuses the leaf of one worker is answered at the CONNECT by the other too',
  async () => {
    const product = await serveTwo({ trust: { refusals: 3 } });
    const [a = 0, b = 0] = workersOf(product);
    const ask = async (): Promise<number> =>
      (await curl('-x', proxyOf(product), 'https://api.anthropic.com/v1/models')).exit;
    for (let attempt = 0; attempt < 3; attempt += 1) expect(await by(product, a, ask)).toBe(60);
    await expect.poll(() => product.metric('sallyport_client_trust_total', 'result="unknown_ca"')).toBe(3);
    // 56: the CONNECT was answered 403.
    await expect.poll(() => by(product, b, ask)).toBe(56);
  },
);

test.runIf(checked)('HUP reaches all workers: another policy, another file of the log', async () => {
  const product = await serveTwo();
  const origin = await recorder('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
  const ask = async (): Promise<string> => (await curl('-x', proxyOf(product), `http://ok.test:${origin.port}/`)).out;
  expect(await ask()).toBe('ok');
  await lines(product, 1);
  const stricter = labPolicy.replace(
    'rules:',
    'rules:\n  - { id: new, domains: ok.test, effect: deny, reason: Since. }',
  );
  writeFileSync(join(product.dir, 'policy.yaml'), stricter);
  renameSync(join(product.dir, 'access.log'), join(product.dir, 'access.log.1'));
  product.kill('SIGHUP');
  await eventually('word of the reload', () => product.stderr().includes('reloaded: '));
  for (const worker of workersOf(product)) await expect.poll(() => by(product, worker, ask)).toContain('Since.');
  expect((await lines(product, 2)).length).toBeGreaterThanOrEqual(2);
  expect(product.stderr().match(/reloaded: /g)).toHaveLength(1);

  writeFileSync(join(product.dir, 'policy.yaml'), 'rules: [');
  product.kill('SIGHUP');
  await eventually('word of the failure', () => product.stderr().includes('reload failed'));
  const [a = 0] = workersOf(product);
  // The one that takes its place has the policy in force, and not the broken one.
  process.kill(a, 'SIGKILL');
  await refilled(product, a, 2);
  for (const worker of workersOf(product)) expect(await by(product, worker, ask)).toContain('Since.');
});

test.runIf(checked)('an exception that is made by the API holds in all workers', async () => {
  const product = await serveTwo();
  const blocked = async (): Promise<boolean> => (await denied(product)).text.includes('high-risk');
  for (const worker of workersOf(product)) expect(await by(product, worker, blocked)).toBe(true);
  const wanted = { vendor: 'anthropic', for: '1h', reason: 'An incident.' };
  const answer = await fetch(`http://127.0.0.1:${product.adminPort}/api/pauses`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(wanted),
  });
  expect(answer.status).toBe(201);
  for (const worker of workersOf(product)) await expect.poll(() => by(product, worker, blocked)).toBe(false);
  expect(await product.metric('sallyport_pauses_active')).toBe(1);
});

test.runIf(checked)('a worker that dies loses its own connections only, is replaced, and stays counted', async () => {
  const product = await serveTwo();
  const origin = await recorder('ready');
  const [a = 0, b = 0] = workersOf(product);
  const open = async () => {
    const tunnel = await rawTunnel(product.proxyPort, `ok.test:${origin.port}`);
    await tunnel.until('ready');
    return tunnel;
  };
  await by(product, a, () => denied(product));
  const [lost, kept] = [await by(product, a, open), await by(product, b, open)];
  await expect.poll(() => product.metric('sallyport_tunnels_open')).toBe(2);
  const gone = Promise.race([once(lost.socket, 'end'), once(lost.socket, 'close')]);
  process.kill(a, 'SIGKILL');
  await gone;
  await refilled(product, a, 2);
  expect(kept.socket.destroyed).toBe(false);
  kept.write('still here');
  await eventually('bytes through the tunnel', () => origin.seen().toString().endsWith('still here'));
  expect(await product.metric('sallyport_workers_replaced_total')).toBe(1);
  expect(await product.metric('sallyport_tunnels_open')).toBe(1);
  expect(await product.metric('sallyport_blocked_total', 'rule="claude-ban"')).toBe(1);
  expect(product.stderr()).toMatch(new RegExp(`worker ${a} is gone \\(signal SIGKILL; its connections are lost\\)`));
  for (const worker of workersOf(product)) await by(product, worker, open);
});

test.runIf(checked)('TERM drains all workers, then ends with 0', async () => {
  const product = await serveTwo();
  const origin = await recorder('ready');
  const tunnels = [];
  for (const worker of workersOf(product)) {
    tunnels.push(await by(product, worker, () => rawTunnel(product.proxyPort, `ok.test:${origin.port}`)));
  }
  const workers = workersOf(product);
  product.kill('SIGTERM');
  // A service manager sends the signal to all processes of a service.
  for (const pid of workers) process.kill(pid, 'SIGTERM');
  await eventually('word of the drain', () => product.stderr().includes('draining'));
  await expect.poll(async () => (await curl('-x', proxyOf(product), `http://ok.test:${origin.port}/`)).exit).toBe(7);
  expect(
    (await curl('-o', '/dev/null', '-w', '%{http_code}', `http://127.0.0.1:${product.adminPort}/readyz`)).out,
  ).toBe('503');
  for (const tunnel of tunnels) {
    tunnel.write('x');
    tunnel.socket.end();
    expect((await tunnel.ended).how).toBe('fin');
  }
  expect(await product.ended).toEqual({ code: 0, signal: null });
  expect((await lines(product, 2)).filter((line) => line.includes('"outcome":"passed"'))).toHaveLength(2);
});

test.runIf(checked)('a second TERM stops all workers now', async () => {
  const product = await serveTwo();
  const origin = await recorder('ready');
  const tunnel = await rawTunnel(product.proxyPort, `ok.test:${origin.port}`);
  await tunnel.until('ready');
  product.kill('SIGTERM');
  await eventually('word of the drain', () => product.stderr().includes('draining'));
  product.kill('SIGTERM');
  expect((await tunnel.ended).how).toBe('reset');
  expect(await product.ended).toEqual({ code: 0, signal: null });
});

test.runIf(checked)('no worker outlives the first process', async () => {
  const product = await serveTwo();
  const workers = workersOf(product);
  expect(workers).toHaveLength(2);
  product.kill('SIGKILL');
  await product.ended;
  const alive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await eventually('the end of the workers', () => !workers.some(alive));
});

test.runIf(checked)('a proxy port that is taken is one line and exit 2', async () => {
  const taker = createServer().listen(0, '127.0.0.1');
  await once(taker, 'listening');
  onTestFinished(() => void taker.close());
  const { port } = taker.address() as { port: number };
  const [pages, admin] = [await closedPort(), await closedPort()];
  const listen = { proxy: `127.0.0.1:${port}`, pages: `127.0.0.1:${pages}`, admin: `127.0.0.1:${admin}` };
  const started = run(['serve', '-c', writeConfig({ settings: { workers: 2, listen } })]);
  expect(await started.ended).toEqual({ code: 2, signal: null });
  expect(started.stdout()).toBe('');
  expect(started.stderr()).toBe(
    `sallyport: cannot listen on 127.0.0.1:${port} (EADDRINUSE): another process is using it; change listen.proxy in the configuration\n`,
  );
});

test.runIf(checked)('each worker shows a certificate of our own CA on the port over TLS', async () => {
  const port = await closedPort();
  const product = await serveTwo({
    listen: {
      ...{ proxy: '127.0.0.1:0', pages: '127.0.0.1:0', admin: '127.0.0.1:0' },
      proxy_tls: { address: `127.0.0.1:${port}`, server_names: '127.0.0.1' },
    },
  });
  const proxied = ['-x', `https://127.0.0.1:${port}`, '--proxy-cacert', caOf(product), '--cacert', caOf(product)];
  for (const worker of workersOf(product)) {
    const ask = (): ReturnType<typeof curl> => curl(...proxied, 'https://api.anthropic.com/v1/models');
    const { out } = await by(product, worker, ask);
    expect(out).toContain('Claude Code is classified as high-risk.');
  }
});
