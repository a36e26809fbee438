/**
 * Names of one's own that lead to the addresses of a denied vendor: denied as the vendor is, before anything is
 * dialled.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startDnsServer } from '../support/dns-server.ts';
import { shippedVendors } from '../support/lab.ts';
import type { Lab, LabOptions } from '../support/lab.ts';
import { labOfTest, recorder } from '../support/origins.ts';
import { eventually, exchange, httpOrigin } from '../support/streams.ts';
import { askInside, connectHead, rawTunnel } from '../support/tunnels.ts';

/** A vendor with the loopback for its own block, so that every name of the lab leads there. */
const acme = `id: acme
name: Acme
owner: Acme Ltd
country: GB
tags: [maker]
products:
  - id: chat
    name: Acme Chat
    kind: chat
    hosts:
      - { suffix: acme.test, role: app, source: its site, confidence: verified, checked: 2026-07-10 }
    addresses:
      - { blocks: 127.0.0.1/32, source: its site, confidence: verified, checked: 2026-07-10 }
  - id: code
    name: Acme Code
    kind: coding-agent
    hosts:
      - { suffix: code-acme.test, role: app, source: its site, confidence: verified, checked: 2026-07-10 }
`;

function policyOf(rules: string, more = ''): string {
  return `
assistants: { inhouse: { name: In-house, url: 'http://assistant.test/' } }
default_assistant: inhouse
rules:
${rules}
defaults: { unlisted: allow, catalogue: monitor, raw_address: deny }
${more}`;
}

const ban = '  - { id: acme-ban, vendors: acme, effect: deny, reason: Acme is not approved. }';
const refused = ban.replace('effect: deny', 'effect: deny, manner: refuse');

/** The shipped catalogue, and Acme: hundreds of files, which all labs share. */
let vendors = '';
beforeAll(() => {
  vendors = mkdtempSync(join(tmpdir(), 'sallyport-addresses-'));
  cpSync(shippedVendors, vendors, { recursive: true });
  writeFileSync(join(vendors, 'acme.yaml'), acme);
});
afterAll(() => rmSync(vendors, { recursive: true, force: true }));

function lab(policy: string, options: LabOptions = {}): Promise<Lab> {
  return labOfTest({ ...options, policy, settings: { vendors, ...options.settings } });
}

const head = (host: string, port: number): string =>
  `GET http://${host}:${port}/ HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`;

test('a CONNECT is answered inside TLS with the denial, logged and counted as one', async () => {
  const origin = await recorder();
  const at = await lab(policyOf(ban));
  const { status, body, headers } = await askInside(at.proxyPort, at.ca, `https://evil.test:${origin.port}/x`);
  expect(status).toBe(403);
  expect(headers['x-proxy-error']).toBe('policy_denied');
  expect(body).toContain('Acme is not approved.');
  expect(origin.taken()).toBe(0);
  await eventually('the line', () => at.lines().length === 1);
  expect(at.lines()[0]).toMatchObject({
    rule: { id: 'acme-ban' },
    url: { domain: 'evil.test' },
    sallyport: { effect: 'deny', outcome: 'blocked', vendor: 'acme' },
  });
  expect(await at.metric('sallyport_blocked_total', 'vendor="acme"')).toBe(1);
});

test('so are a refused CONNECT, a plain request and a WebSocket, and the lines tell the address', async () => {
  const origin = await recorder();
  const at = await lab(policyOf(refused));
  expect(await exchange(at.proxyPort, connectHead(`evil.test:${origin.port}`))).toContain('Acme is not approved.');
  expect(await exchange(at.proxyPort, head('evil.test', origin.port))).toContain('Acme is not approved.');
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const asked = head('evil.test', origin.port).replace('Connection: close\r\n', upgrade + key);
  expect(await exchange(at.proxyPort, asked)).toContain('Blocked by company policy: Acme Chat.');
  expect(origin.taken()).toBe(0);
  await eventually('three lines', () => at.lines().length === 3);
  for (const line of at.lines()) {
    expect(line).toMatchObject({ rule: { id: 'acme-ban' }, destination: { ip: '127.0.0.1' } });
  }
});

test.each([
  [
    'a rule that names the host',
    `${ban}\n  - { id: mine, domains: ok.test, effect: allow, reason: Mine. }`,
    '',
    'ok.test',
  ],
  ['another product of the same vendor', ban.replace('vendors: acme', 'products: acme/chat'), '', 'code-acme.test'],
  [
    'an exception for the vendor',
    ban,
    'exceptions:\n  - { id: pilot, vendors: acme, until: 2999-01-01, approved_by: CISO, reason: Pilot. }\n',
    'ok.test',
  ],
  ['a denial of another vendor', ban.replace('vendors: acme', 'vendors: anthropic'), '', 'ok.test'],
])('what %s lets through passes', async (_what, rules, more, host) => {
  const origin = await httpOrigin((_req, res) => res.end('through'));
  const at = await lab(policyOf(rules, more));
  expect(await exchange(at.proxyPort, head(host, origin.port))).toMatch(/^HTTP\/1\.1 200 [^]*through$/);
  const tunnel = await rawTunnel(at.proxyPort, `${host}:${origin.port}`);
  tunnel.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await tunnel.until('through');
});

test('in sanctioned-only mode an address of a service that is not approved is denied', async () => {
  const origin = await recorder();
  const at = await lab(
    policyOf('  - { id: g, vendors: google, effect: allow, reason: Approved. }', 'mode: sanctioned-only\n'),
  );
  expect(await exchange(at.proxyPort, head('evil.test', origin.port))).toMatch(/^HTTP\/1\.1 403 /);
  expect(origin.taken()).toBe(0);
});

test('a rule that denies an address itself denies the names that lead there, also those that a rule allows', async () => {
  const origin = await recorder();
  const rules = `  - { id: spot, domains: 127.0.0.1, effect: deny, reason: Not this machine. }
  - { id: mine, domains: ok.test, effect: allow, reason: Mine. }`;
  const at = await labOfTest({ policy: policyOf(rules) });
  for (const host of ['evil.test', 'ok.test'])
    expect(await exchange(at.proxyPort, head(host, origin.port))).toContain('Not this machine.');
  expect(origin.taken()).toBe(0);
});

test('an open tunnel is judged by the address that it is connected to', async () => {
  const origin = await recorder('ready');
  const at = await lab(policyOf('  - { id: other, vendors: openai, effect: deny, reason: Other. }'));
  const tunnel = await rawTunnel(at.proxyPort, `evil.test:${origin.port}`);
  await tunnel.until('ready');
  writeFileSync(join(at.dir, 'policy.yaml'), policyOf(ban.replace('effect: deny', 'effect: deny, open_tunnels: cut')));
  expect(at.gateway.reload()).toBe(true);
  expect((await tunnel.ended).how).toBe('reset');
});

test('so is a name that DNS has to be asked for', async () => {
  const origin = await recorder();
  const server = await startDnsServer({ 'evil.example': { A: ['127.0.0.1'], ttl: 0 } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const outbound = { dns_servers: [server.address], allow: ['evil.example', '127.0.0.1'] };
  const at = await lab(policyOf(refused), { settings: { outbound } });
  expect(await exchange(at.proxyPort, head('evil.example', origin.port))).toContain('Acme is not approved.');
  expect(await exchange(at.proxyPort, connectHead(`evil.example:${origin.port}`))).toContain('Acme is not approved.');
  expect(await exchange(at.proxyPort, head('gone.example', 80))).toMatch(/^HTTP\/1\.1 502 [^]*dns_error/);
  expect(origin.taken()).toBe(0);
});
