/** A running proxy takes in a newer catalogue from a server, or refuses it, while it serves. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { makeBundle } from '../../src/config/bundle.ts';
import { readVendors } from '../../src/config/vendors.ts';
import { makeCertificate } from '../support/certificate.ts';
import type { TestCertificate } from '../support/certificate.ts';
import { curl } from '../support/curl.ts';
import { startLab } from '../support/lab.ts';
import type { Lab } from '../support/lab.ts';
import { eventually } from '../support/streams.ts';

type Files = readonly (readonly [name: string, text: string])[];

const shipped: Files = readVendors('config/vendors', null).map(({ source, vendor }) => [
  `${vendor.id}.yaml`,
  source.text,
]);

const novelText = `id: novel
name: Novel
products:
  - id: chat
    name: Novel Chat
    kind: chat
    hosts:
      - { suffix: novel.test, role: app, source: test, confidence: own-knowledge }
`;

const novel: Files = [['novel.yaml', novelText]];

const keys = mkdtempSync(join(tmpdir(), 'sallyport-updates-'));
let certificate: TestCertificate;
beforeAll(() => {
  certificate = makeCertificate('localhost');
  for (const name of ['us', 'others']) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(keys, `${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(join(keys, `${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  }
});
afterAll(() => {
  certificate.remove();
  rmSync(keys, { recursive: true, force: true });
});

interface Updates {
  readonly lab: Lab;
  readonly copy: string;
  /** Puts a bundle on the server, signed with our key or another one; resolves when it was judged. */
  readonly publish: (files: Files, created: string, signedBy?: 'us' | 'others') => Promise<void>;
  readonly publishText: (text: string) => Promise<void>;
  readonly vendors: () => number;
  /** Resolves once the server was asked that often. */
  readonly askedTimes: (times: number) => Promise<void>;
}

const later = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();

/** A proxy that asks a server of ours every 50 ms. */
async function withUpdates(settings: Readonly<Record<string, unknown>> = {}): Promise<Updates> {
  let text: string | null = null;
  let version = 0;
  const asked: string[] = [];
  const server = createServer({ key: certificate.key, cert: certificate.cert }, (req, res) => {
    const tag = `"${version}"`;
    asked.push(`${version} ${req.headers['if-none-match'] ?? 'none'}`);
    if (text === null) res.writeHead(404).end();
    else if (req.headers['if-none-match'] === tag) res.writeHead(304).end();
    else res.writeHead(200, { ETag: tag }).end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const lab = await startLab({
    settings: {
      vendors_url: `https://localhost:${(server.address() as AddressInfo).port}/catalogue.json?token=secret`,
      vendors_key: join(keys, 'us.pub'),
      vendors_fetch: { interval: '50ms', ca_file: certificate.file, ...settings },
    },
  });
  onTestFinished(async () => {
    await lab.close();
    server.closeAllConnections();
    server.close();
  });
  const publishText = async (next: string): Promise<void> => {
    text = next;
    version += 1;
    // The request after the first one that saw it: by then that one was judged.
    const mine = version;
    await eventually('judged', () => asked.filter((one) => one.startsWith(`${mine} `)).length > 1);
  };
  return {
    lab,
    copy: join(lab.dir, 'fetched-catalogue.json'),
    publishText,
    publish: (files, created, signedBy = 'us') =>
      publishText(makeBundle({ created, files }, join(keys, `${signedBy}.key`))),
    vendors: () => lab.gateway.config().vendors.length,
    askedTimes: (times) => eventually('asked', () => asked.length >= times),
  };
}

test('a newer catalogue is adopted, logged, kept, and used at the next start; then nothing new is fetched', async () => {
  const { lab, copy, publish, vendors } = await withUpdates();
  expect(vendors()).toBe(shipped.length);
  await publish([...shipped, ...novel], later(0));
  expect(vendors()).toBe(shipped.length + 1);
  expect(lab.told.join('\n')).toMatch(/catalogue: adopting the bundle of .*: 1 vendor added, 0 removed; 1 host added/);
  expect(lab.told).toContain('catalogue: + host *.novel.test (novel/chat)');
  expect(lab.told.join('\n')).not.toContain('secret');
  expect(existsSync(copy)).toBe(true);
  expect(lab.gateway.config().catalogue.fetched).not.toBeNull();
  expect(await lab.metric('sallyport_catalogue_fetches_total', 'result="adopted"')).toBe(1);
  expect(await lab.metric('sallyport_catalogue_fetches_total', 'result="unchanged"')).toBeGreaterThan(0);
  expect(await lab.metric('sallyport_catalogue_last_fetch_success_timestamp_seconds')).toBeGreaterThan(1e9);
  expect(lab.gateway.reload()).toBe(true);
  expect(vendors()).toBe(shipped.length + 1);
});

test('a policy that is being written is not put into force by a newer catalogue', async () => {
  const { lab, publish, vendors } = await withUpdates();
  const file = join(lab.dir, 'policy.yaml');
  const whole = readFileSync(file, 'utf8');
  const rules = (): number => lab.gateway.config().policy.rules.length;
  const before = rules();
  writeFileSync(file, whole.slice(0, whole.indexOf('  - { id: refused')));
  await publish([...shipped, ...novel], later(0));
  expect(rules()).toBe(before);
  writeFileSync(file, whole);
  await eventually('the catalogue', () => vendors() === shipped.length + 1);
  expect(rules()).toBe(before);
});

test('while nothing can be fetched the proxy serves with what it has, and says so once', async () => {
  const { lab, askedTimes } = await withUpdates();
  await eventually('a complaint', () => lab.told.some((line) => line.includes('status 404')));
  await askedTimes(4);
  expect(await lab.metric('sallyport_catalogue_fetches_total', 'result="failed"')).toBeGreaterThan(1);
  expect(lab.told.filter((line) => line.includes('the server answered with status 404'))).toHaveLength(1);
  const { out } = await curl('-x', lab.proxyUrl, '--cacert', lab.caFile, 'https://api.anthropic.com/v1/messages');
  expect(out).toContain('Claude Code is classified as high-risk.');
});

test('what is not better is refused, whatever is wrong with it, and the good copy stays', async () => {
  const { lab, copy, publish, publishText, vendors } = await withUpdates();
  await publish([...shipped, ...novel], later(0));
  const good = readFileSync(copy, 'utf8');
  const without = (id: string): Files => shipped.filter(([name]) => name !== `${id}.yaml`);
  const name = 'novel.yaml';
  const first = novelText;
  const all = [...shipped, ...novel];
  const wrong: readonly (readonly [string, () => Promise<void>])[] = [
    ['the signature is not by the key in', () => publish(all, later(1), 'others')],
    ['not later than the present one', () => publish(shipped, later(-60))],
    ['which is in the future', () => publish(all, later(60 * 48))],
    ['this is not a bundle made by', () => publishText(good.slice(0, -200))],
    ['this is not a bundle made by', () => publishText('<html>')],
    ['is a public suffix', () => publish([...shipped, [name, first.replace('novel.test', 'github.io')]], later(2))],
    ['unknown key "nonsense"', () => publish([...shipped, [name, `${first}nonsense: 1\n`]], later(3))],
    ['is already listed in', () => publish([...shipped, [name, first.replace('novel.test', 'claude.ai')]], later(4))],
    ['unknown vendor "deepseek"', () => publish(without('deepseek'), later(5))],
    ['more than 10%', () => publish(shipped.slice(0, 400), later(6))],
  ];
  for (const [why, send] of wrong) {
    await send();
    expect(lab.told.filter((line) => /refused the update/.test(line)).at(-1)).toContain(why);
    expect([why, vendors()]).toEqual([why, shipped.length + 1]);
  }
  expect(readFileSync(copy, 'utf8')).toBe(good);
  expect(await lab.metric('sallyport_catalogue_fetches_total', 'result="adopted"')).toBe(1);
  await publish(shipped, later(7));
  expect(vendors()).toBe(shipped.length);
});

test('a copy that somebody has changed is not used, and the log says so', async () => {
  const { lab, copy, vendors } = await withUpdates({ interval: '1d' });
  writeFileSync(copy, '{"format":"sallyport-catalogue/1"}');
  expect(lab.gateway.reload()).toBe(true);
  expect(vendors()).toBe(shipped.length);
  expect(lab.told.join('\n')).toContain('catalogue: the fetched copy is not used: ');
});
