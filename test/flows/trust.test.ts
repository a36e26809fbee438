/** What the proxy learns of its clients' trust from real TLS stacks, and what it does for those that keep refusing. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { curl } from '../support/curl.ts';
import type { Lab } from '../support/lab.ts';
import { labOfTest } from '../support/origins.ts';
import { eventually } from '../support/streams.ts';
import { openTunnel } from '../support/tunnels.ts';

const url = 'https://api.anthropic.com/v1/models';
const trustOf = (lab: Lab, result: string): Promise<number> =>
  lab.metric('sallyport_client_trust_total', `result="${result}"`);

async function counted(lab: Lab, result: string, count = 1): Promise<void> {
  await expect.poll(() => trustOf(lab, result)).toBe(count);
}

function run(program: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 15_000, env: { PATH: process.env['PATH'] } }, (_error, out, err) =>
      resolve(out + err),
    );
  });
}

/** A program of Node.js that asks through the proxy, trusting only what Node.js trusts by itself. */
const nodeAsks = (port: number): string => `
const { request } = require('node:http');
const { connect } = require('node:tls');
request({ host: '127.0.0.1', port: ${port}, method: 'CONNECT', path: 'api.anthropic.com:443' })
  .on('connect', (answer, socket) => connect({ socket, servername: 'api.anthropic.com' }, () => process.exit(1))
    .on('error', (error) => { console.log(error.code); process.exit(0); }))
  .end();`;

test('a client that trusts the authority is counted once for its connection', async () => {
  const lab = await labOfTest();
  await curl('-x', lab.proxyUrl, '--cacert', lab.caFile, url);
  await counted(lab, 'accepted');
});

test('curl says which authority it does not know', async () => {
  const lab = await labOfTest();
  expect((await curl('-x', lab.proxyUrl, url)).exit).toBe(60);
  await counted(lab, 'unknown_ca');
  expect(await trustOf(lab, 'accepted')).toBe(0);
});

test('Node.js goes away without an alert', async () => {
  const lab = await labOfTest();
  expect(await run(process.execPath, '-e', nodeAsks(lab.proxyPort))).toMatch(/UNABLE_TO|SELF_SIGNED/);
  await expect.poll(async () => (await trustOf(lab, 'reset')) + (await trustOf(lab, 'silent'))).toBe(1);
});

test.skipIf(!existsSync('/usr/bin/python3'))('Python says that it does not know the authority', async () => {
  const lab = await labOfTest();
  const program = `import urllib.request
try: urllib.request.build_opener(urllib.request.ProxyHandler({'https': '${lab.proxyUrl}'})).open('${url}')
except Exception as error: print(error)`;
  expect(await run('/usr/bin/python3', '-c', program)).toContain('CERTIFICATE_VERIFY_FAILED');
  await counted(lab, 'unknown_ca');
});

test('a client that hangs up before the handshake is over is silent', async () => {
  const lab = await labOfTest();
  const tunnel = await openTunnel(lab.proxyPort, 'api.anthropic.com:443');
  tunnel.end(Buffer.from('16030100050100000100', 'hex'));
  await eventually('the log line', () => lab.lines().length > 0);
  expect(await trustOf(lab, 'accepted')).toBe(0);
});

test('a client that keeps refusing is answered at the CONNECT, until it accepts or the time is over', async () => {
  const lab = await labOfTest({ settings: { trust: { refusals: 2, fallback: '1h' } } });
  const untrusting = (): ReturnType<typeof curl> => curl('-i', '-x', lab.proxyUrl, url);
  expect((await untrusting()).out).toContain('200 Connection established');
  await counted(lab, 'unknown_ca', 1);
  expect((await untrusting()).out).toContain('200 Connection established');
  await counted(lab, 'unknown_ca', 2);

  const { out, exit } = await untrusting();
  expect(exit).toBe(56);
  expect(out).toMatch(/^HTTP\/1\.1 403 Blocked by company policy - use http:\/\/assistant\.test\//);
  await eventually('three log lines', () => lab.lines().length === 3);
  expect(lab.lines()[2]).toMatchObject({ sallyport: { action: 'refuse', answer: 'connect', vendor: 'anthropic' } });

  const home = await (await fetch(`http://127.0.0.1:${lab.addresses.pages.port}/`)).text();
  expect(home).toContain('A program on this machine rejected it');
  const api = `http://127.0.0.1:${lab.addresses.admin.port}/api/trust`;
  expect(await (await fetch(api)).json()).toMatchObject({
    results: { unknown_ca: 2, accepted: 0 },
    networks: [
      { network: '127.0.0.0/24', clients: 1, needCa: 1, fallbackUntil: expect.stringMatching(/T/) as unknown },
    ],
  });
});

test('allowed hosts are none of its business', async () => {
  const lab = await labOfTest({ settings: { trust: { refusals: 1 } } });
  await curl('-x', lab.proxyUrl, url);
  await counted(lab, 'unknown_ca');
  const { out } = await curl('-i', '-x', lab.proxyUrl, `http://127.0.0.1:${lab.addresses.pages.port}/livez`);
  expect(out).toContain('200');
});
