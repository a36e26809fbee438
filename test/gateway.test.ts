/** The parts, wired: all ports or none, a policy that is swapped whole, and an end that leaves nothing. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import { ConfigError } from '../src/errors.ts';
import { createGateway } from '../src/gateway.ts';
import { curl } from './support/curl.ts';
import { labPolicy, startLab, writeConfig } from './support/lab.ts';
import { closedPort, labOfTest, recorder } from './support/origins.ts';
import { connectRaw, eventually, exchange } from './support/streams.ts';
import { connectHead, openTunnel, rawTunnel } from './support/tunnels.ts';

const options = { version: '0.0.0', nodeVersion: process.version, stdout: process.stdout, log: () => undefined };

test('listens on ports that the system chooses, and tells the true ones in PAC file and pages', async () => {
  const { addresses } = await labOfTest();
  const ports = [addresses.proxy.port, addresses.pages.port, addresses.admin.port];
  expect(new Set(ports).size).toBe(3);
  expect(ports.every((port) => port > 0)).toBe(true);
  const pages = `http://127.0.0.1:${addresses.pages.port}`;
  expect((await curl(`${pages}/proxy.pac`)).out).toContain(`PROXY 127.0.0.1:${addresses.proxy.port}`);
  expect((await curl(`${pages}/`)).out).toContain(`${pages}/ca.pem`);
});

test('a CONNECT to the pages or the admin port is answered, with the address of the proxy', async () => {
  const { addresses } = await labOfTest();
  for (const { port } of [addresses.pages, addresses.admin]) {
    const answer = await exchange(port, connectHead('claude.ai:443'));
    expect(answer).toMatch(/^HTTP\/1\.1 405 Method Not Allowed\r\n/);
    expect(answer).toContain(`set 127.0.0.1:${addresses.proxy.port} as the proxy.`);
  }
});

test('opens all ports or none, and names the one that cannot be had', async () => {
  const taker = createServer().listen(0, '127.0.0.1');
  await once(taker, 'listening');
  onTestFinished(() => void taker.close());
  const taken = (taker.address() as { port: number }).port;
  const [pages, admin] = [await closedPort(), await closedPort()];
  const listen = { proxy: `127.0.0.1:${taken}`, pages: `127.0.0.1:${pages}`, admin: `127.0.0.1:${admin}` };
  const file = writeConfig({ settings: { listen } });
  const gateway = await createGateway({ ...options, load: () => loadConfig(file) });
  const failure = gateway.listen();
  await expect(failure).rejects.toThrow(ConfigError);
  await expect(failure).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${taken} \\(EADDRINUSE\\).*listen\\.proxy`));
  for (const port of [pages, admin]) expect((await curl(`http://127.0.0.1:${port}/`)).exit).toBe(7);
});

test('the pages and the admin port are not on the proxy port, nor reached through it', async () => {
  const lab = await labOfTest();
  const { admin, pages } = lab.addresses;
  expect((await curl(`${lab.proxyUrl}/metrics`)).out).not.toContain('sallyport_build_info');
  for (const port of [admin.port, lab.proxyPort]) {
    const { out } = await curl('-i', '-x', lab.proxyUrl, `http://127.0.0.1:${port}/metrics`);
    expect(out).toMatch(/^HTTP\/1\.1 403 /);
    expect(out).toContain('X-Proxy-Error: destination_prohibited');
  }
  expect((await curl('-x', lab.proxyUrl, `http://127.0.0.1:${pages.port}/`)).exit).toBe(0);
});

test('a reload acts on what comes after, and an open tunnel goes on', async () => {
  const lab = await labOfTest();
  const origin = await recorder('ready');
  const tunnel = await rawTunnel(lab.proxyPort, `ok.test:${origin.port}`);
  await tunnel.until('ready');
  const stricter = labPolicy.replace('rules:', 'rules:\n  - { id: new, domains: ok.test, effect: deny, reason: New. }');
  writeFileSync(join(lab.dir, 'policy.yaml'), stricter);
  const before = lab.gateway.config().policyHash;
  expect(lab.gateway.reload()).toBe(true);
  expect(lab.gateway.config().policyHash).not.toBe(before);
  tunnel.write('goes on');
  await eventually('bytes through the old tunnel', () => origin.seen().toString() === 'goes on');
  const { out } = await curl('-x', lab.proxyUrl, `http://ok.test:${origin.port}/`);
  expect(JSON.parse(out)).toMatchObject({ policy: { rule: 'new' } });
  expect(lab.told).toEqual([expect.stringMatching(/^reloaded: /)]);
});

test.each([
  ['a syntax error', 'rules: ['],
  ['an unknown key', labPolicy.replace('effect: monitor', 'efect: monitor')],
  ['a wrong type', labPolicy.replace('vendors: anthropic', 'vendors: 7')],
  ['a doubled rule id', labPolicy.replace('id: refused', 'id: claude-ban')],
  ['an unknown vendor', labPolicy.replace('vendors: anthropic', 'vendors: anthropc')],
  ['an empty file', ''],
])('a reload with %s leaves all as it was, and says where', async (_, policy) => {
  const lab = await labOfTest();
  writeFileSync(join(lab.dir, 'policy.yaml'), policy);
  const before = lab.gateway.config();
  expect(lab.gateway.reload()).toBe(false);
  expect(lab.gateway.config()).toBe(before);
  expect(lab.told).toEqual([expect.stringMatching(/^reload failed, the old policy stays: .*policy\.yaml/)]);
  expect(lab.told[0]).not.toContain('\n');
  expect(await lab.metric('sallyport_config_last_reload_successful')).toBe(0);
  const { out } = await curl('-x', lab.proxyUrl, 'http://api.anthropic.com/v1/messages', '-d', '{}');
  expect(out).toContain('claude-ban');
});

test('close ends what is open by RST, on every port, and can be called again', async () => {
  const lab = await startLab();
  const origin = await recorder('ready');
  const tunnel = await rawTunnel(lab.proxyPort, `ok.test:${origin.port}`);
  await tunnel.until('ready');
  const greeting = await connectRaw(lab.proxyPort, 'CONNECT ok');
  await expect.poll(() => lab.metric('sallyport_connections_open')).toBe(2);
  await lab.gateway.close();
  expect((await tunnel.ended).how).toBe('reset');
  await greeting.ended;
  await eventually('no connection to the origin', () => origin.open.size === 0);
  const { proxy, pages, admin } = lab.addresses;
  for (const { port } of [proxy, pages, admin]) expect((await curl(`http://127.0.0.1:${port}/`)).exit).toBe(7);
  await lab.close();
});

test('drain waits for tunnels that are open, but not for connections that are kept for nothing', async () => {
  const lab = await labOfTest();
  const kept = await connectRaw(lab.proxyPort, 'GET http://api.anthropic.com/ HTTP/1.1\r\nHost: x\r\n\r\n');
  await kept.ended;
  const tunnel = await openTunnel(lab.proxyPort, `ok.test:${(await recorder('ready')).port}`);
  let drained = false;
  const draining = lab.gateway.drain().then(() => (drained = true));
  await expect(connectRaw(lab.proxyPort, connectHead('ok.test:443'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(drained).toBe(false);
  tunnel.destroy();
  await draining;
  expect(drained).toBe(true);
});

test('an uncaught exception is counted and told on one line', async () => {
  const lab = await labOfTest();
  lab.gateway.uncaught(new Error('surprise'));
  expect(await lab.metric('sallyport_uncaught_exceptions_total')).toBe(1);
  expect(lab.told).toEqual([expect.stringMatching(/^uncaught exception: .*surprise/)]);
  expect(lab.told[0]).not.toContain('\n');
});

test('an access log in a file is written, and reopened by a reload after it was moved', async () => {
  const lab = await labOfTest({ settings: { access_log: { path: 'access.log' } } });
  const file = join(lab.dir, 'access.log');
  const ask = (path: string) => curl('-x', lab.proxyUrl, `http://api.anthropic.com${path}`);
  await ask('/first');
  await eventually('the first line', () => readFileSync(file, 'utf8').includes('/first'));
  renameSync(file, `${file}.1`);
  lab.gateway.reload();
  await ask('/second');
  await eventually('the second line', () => existsSync(file) && readFileSync(file, 'utf8').includes('/second'));
  expect(readFileSync(`${file}.1`, 'utf8')).not.toContain('/second');
  expect(lab.lines()).toEqual([]);
});
