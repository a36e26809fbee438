/** External domain lists in a running proxy: as files, and fetched from servers that do whatever servers do. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { explain } from '../../src/cli/explain.ts';
import { labPolicy, startLab, writeConfig } from '../support/lab.ts';
import { askAgain, isDenied, listServer, policyWith, serving } from '../support/list-server.ts';
import { certificateOfTest, closedPort, labOfTest } from '../support/origins.ts';
import { procIsThere, serve } from '../support/product.ts';
import { eventually } from '../support/streams.ts';

test('a file: in force from the start, followed as it changes, and a broken one changes nothing', async () => {
  const lab = await labOfTest({ settings: { reload: 'watch' } });
  const file = join(lab.dir, 'ads.txt');
  writeFileSync(file, 'ads.test\n=only.test\n0.0.0.0 sink.test\n@@||fine.ads.test^\nbad line here\n');
  writeFileSync(join(lab.dir, 'policy.yaml'), policyWith('{ file: ads.txt }'));
  await eventually('the new policy', () => lab.told.some((line) => line.startsWith('reloaded')));
  for (const host of ['ads.test', 'www.ads.test', 'only.test', 'sink.test'])
    expect(await isDenied(lab, host)).toBe(true);
  for (const host of ['www.only.test', 'www.sink.test', 'fine.ads.test', 'other.test']) {
    expect(await isDenied(lab, host)).toBe(false);
  }
  expect(lab.told[0]).toBe('list ads: 4 domains, 1 bad line, the first is line 5: not a domain');
  expect(await lab.metric('sallyport_list_domains', 'list="ads"')).toBe(4);
  expect(await lab.metric('sallyport_list_bad_lines', 'list="ads"')).toBe(1);

  writeFileSync(`${file}.new`, 'other.test\n');
  renameSync(`${file}.new`, file);
  await expect.poll(() => isDenied(lab, 'other.test'), { timeout: 5_000 }).toBe(true);
  expect(await isDenied(lab, 'ads.test')).toBe(false);

  writeFileSync(file, '<html>\n<title>Gone\n');
  await eventually('the complaint', () => lab.told.some((line) => line.includes('not a list of domains')));
  expect(await isDenied(lab, 'other.test')).toBe(true);

  writeFileSync(file, '');
  await eventually('the complaint', () =>
    lab.told.some((line) => line.includes('no longer contains any domain; the last')),
  );
  expect(await isDenied(lab, 'other.test')).toBe(true);
});

test('a rule may name domains and lists; the closer goes before, and exceptions lift what a list denies', async () => {
  const policy = policyWith('{ file: ads.txt }')
    .replace(
      'defaults:',
      `
  - { id: fine, domains: [fine.ads.test, both.test], effect: allow, reason: 'Needed.' }
  - { id: also, domains: more.test, lists: more, effect: deny, reason: 'On the list.' }
exceptions:
  - { id: spared, lists: spared, until: 2090-01-01, approved_by: CISO, reason: 'Spared.' }
defaults:`,
    )
    .replace('  ads: {', '  more: { file: more.txt }\n  spared: { file: spared.txt }\n  ads: {');
  const lab = await labOfTest();
  writeFileSync(join(lab.dir, 'ads.txt'), 'ads.test\nboth.test\nspared.test\n');
  writeFileSync(join(lab.dir, 'more.txt'), 'listed.test\n');
  writeFileSync(join(lab.dir, 'spared.txt'), 'spared.test\n');
  writeFileSync(join(lab.dir, 'policy.yaml'), policy);
  expect(await lab.gateway.refresh()).toBe(true);
  const denied = ['www.ads.test', 'both.test', 'more.test', 'listed.test'];
  for (const host of denied) expect([host, await isDenied(lab, host)]).toEqual([host, true]);
  for (const host of ['www.fine.ads.test', 'spared.test']) expect(await isDenied(lab, host)).toBe(false);
});

test('a list that is not named, a file that is not there, and a list of two places are told with their place', async () => {
  const lab = await labOfTest();
  const tell = async (policy: string) => {
    writeFileSync(join(lab.dir, 'policy.yaml'), policy);
    expect(await lab.gateway.refresh()).toBe(false);
    return lab.told.at(-1);
  };
  expect(await tell(policyWith('{ file: none.txt }'))).toMatch(/policy\.yaml:\d+:\d+: there is no file .*none\.txt/);
  expect(await tell(policyWith("{ file: a, url: 'http://a.test/' }"))).toMatch(/either "file" or "url"/);
  expect(await tell(policyWith('{ url: "http://a.test/" }').replace('lists: ads', 'lists: adz'))).toMatch(
    /unknown list "adz"; did you mean "ads"\?/,
  );
});

test('fetched, kept, and asked for with its entity tag, also after a restart', async () => {
  const server = await listServer(serving('ads.test\n'));
  const policy = policyWith(`{ url: '${server.url}' }`);
  const lab = await startLab({ policy });
  onTestFinished(() => lab.close());
  expect(await isDenied(lab, 'www.ads.test')).toBe(true);
  const copy = join(lab.dir, 'fetched-ads.list');
  expect(readFileSync(copy, 'utf8')).toBe('ads.test\n');
  await askAgain(lab, policy);
  await eventually('the question', () => server.asked.length === 2);
  expect(server.asked.map(({ etag }) => etag)).toEqual([undefined, '"1"']);
  await expect.poll(() => lab.metric('sallyport_list_fetches_total', 'list="ads"', 'result="unchanged"')).toBe(1);
  expect(await isDenied(lab, 'ads.test')).toBe(true);
  server.answerWith(serving('other.test\n', '"2"'));
  await askAgain(lab, policy);
  await expect.poll(() => isDenied(lab, 'other.test'), { timeout: 5_000 }).toBe(true);
  expect(readFileSync(copy, 'utf8')).toBe('other.test\n');
  expect(lab.told.join('\n')).not.toContain('secret');
});

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

const faults: readonly [string, Answer, RegExp][] = [
  ['500', (_, res) => res.writeHead(500).end(), /answered with status 500/],
  ['a page of HTML', (_, res) => res.end('<!DOCTYPE html>\n<html>\n'), /not a list of domains/],
  ['nothing', (_, res) => res.end(), /contains no domains/],
  [
    'gzip that is none',
    (_, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end('ads.test\n'),
    /header|gzip/,
  ],
  ['another packing', (_, res) => res.writeHead(200, { 'content-encoding': 'br' }).end('x'), /encoded as "br"/],
  ['redirects without end', (req, res) => res.writeHead(302, { location: req.url ?? '' }).end(), /more than 3 times/],
  [
    'a redirect out of HTTP',
    (_, res) => res.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    /a URL that may not/,
  ],
  [
    'a body without end',
    (_, res) => {
      const pour = (): void => {
        res.write('other.test\n'.repeat(1_000));
        if (!res.destroyed) setImmediate(pour);
      };
      pour();
    },
    /larger than 100000 bytes/,
  ],
  [
    'half a body',
    (_, res) => {
      res.writeHead(200, { 'content-length': 1_000 }).write('other.test\n');
      setImmediate(() => res.destroy());
    },
    /aborted|ECONNRESET|Premature/,
  ],
];

test.each(faults)('a server that sends %s: the last good list stays', async (_, answer, says) => {
  const server = await listServer(serving('ads.test\n'));
  const policy = policyWith(`{ url: '${server.url}', max_bytes: 100000 }`);
  const lab = await labOfTest({ policy });
  expect(await isDenied(lab, 'ads.test')).toBe(true);
  server.answerWith(answer);
  await askAgain(lab, policy);
  await eventually('the complaint', () =>
    lab.told.some((line) => line.startsWith('list ads: http') && says.test(line)),
  );
  expect(await isDenied(lab, 'ads.test')).toBe(true);
  expect(await isDenied(lab, 'other.test')).toBe(false);
  expect(readFileSync(join(lab.dir, 'fetched-ads.list'), 'utf8')).toBe('ads.test\n');
  expect(readdirSync(lab.dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  expect(lab.told.join('\n')).not.toContain('secret');
});

test('gzip, and redirects that end, are followed', async () => {
  const server = await listServer((req, res) => {
    if (req.url === '/list') res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('ads.test\n'));
    else res.writeHead(301, { location: '/list' }).end();
  });
  const lab = await labOfTest({ policy: policyWith(`{ url: '${server.url}' }`) });
  expect(await isDenied(lab, 'ads.test')).toBe(true);
});

test('a content with another SHA-256 than the policy names is refused', async () => {
  const server = await listServer(serving('ads.test\n'));
  const lab = await labOfTest({ policy: policyWith(`{ url: '${server.url}', sha256: '${'0'.repeat(64)}' }`) });
  expect(lab.told[1]).toMatch(
    /^list ads: http:.*SHA-256 is [0-9a-f]{64}.*; it has never been loaded, so it covers nothing$/,
  );
  expect(await isDenied(lab, 'ads.test')).toBe(false);
});

test('a certificate that nobody vouches for, and a server that is not there, do not keep the proxy from starting', async () => {
  const { key, cert } = certificateOfTest('127.0.0.1');
  const https = createHttps({ key, cert }, (_, res) => res.end('ads.test\n')).listen(0, '127.0.0.1');
  onTestFinished(() => void https.close());
  await new Promise((resolve) => https.once('listening', resolve));
  const { port } = https.address() as AddressInfo;
  for (const url of [`https://127.0.0.1:${port}/`, `http://127.0.0.1:${await closedPort()}/`]) {
    const lab = await labOfTest({ policy: policyWith(`{ url: '${url}' }`) });
    expect(lab.told[1]).toMatch(
      /^list ads: http.*(self-signed|unable to verify|ECONNREFUSED).*; it has never been loaded, so it covers nothing$/,
    );
    expect(await lab.metric('sallyport_list_fetches_total', 'result="failed"')).toBe(1);
  }
});

test('a copy that cannot be kept is told, and costs nothing but the news', async () => {
  const server = await listServer(serving('ads.test\n'));
  const policy = policyWith(`{ url: '${server.url}', copy: kept/ads.list }`);
  const lab = await labOfTest({ policy });
  expect(lab.told[1]).toMatch(/the copy cannot be written to .*kept\/ads\.list \(ENOENT\); set "copy" of the list/);
  mkdirSync(join(lab.dir, 'kept'));
  await askAgain(lab, policy);
  expect(await isDenied(lab, 'ads.test')).toBe(true);
});

test('a copy for which there is no room is told, and the last good stays', async () => {
  if (!procIsThere('a copy for which there is no room')) return;
  const server = await listServer(serving('ads.test\n'));
  const policy = policyWith(`{ url: '${server.url}' }`);
  const product = await serve({ policy });
  // A file may not become larger: a write into it fails, as on a disk that is full.
  execFileSync('prlimit', ['--pid', String(product.pid), '--fsize=65536:']);
  server.answerWith(serving('other.test\n'.repeat(100_000), '"2"'));
  for (const [turn, text] of [labPolicy, policy].entries()) {
    writeFileSync(join(product.dir, 'policy.yaml'), text);
    product.kill('SIGHUP');
    await eventually('the reload', () => product.stderr().match(/reloaded: /g)?.length === turn + 1);
  }
  await eventually('the complaint', () => product.stderr().includes('(EFBIG)'));
  expect(product.stderr()).toMatch(/the copy cannot be written to .*fetched-ads\.list \(EFBIG\)/);
  expect(await isDenied({ proxyUrl: `http://127.0.0.1:${product.proxyPort}` }, 'ads.test')).toBe(true);
  expect(readFileSync(join(product.dir, 'fetched-ads.list'), 'utf8')).toBe('ads.test\n');
  expect(readdirSync(product.dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a start waits for all lists that were never fetched at once, but not for ever', async () => {
  const server = await listServer(() => undefined);
  const quick = await listServer(serving('quick.test\n'));
  const others = ['b', 'c', 'd'].map((id) => `  ${id}: { url: '${server.url}' }\n`).join('');
  const policy = policyWith(`{ url: '${server.url}' }\n${others}  quick: { url: '${quick.url}' }`);
  const begun = performance.now();
  const lab = await labOfTest({ policy: policy.replace('lists: ads', 'lists: [ads, quick]') });
  const took = performance.now() - begun;
  expect(took).toBeGreaterThan(4_000);
  expect(took).toBeLessThan(9_000);
  expect(lab.told).toEqual(['waiting up to 5 s for the lists ads, b, c, d, quick', 'list quick: 1 domain']);
  expect(await isDenied(lab, 'ads.test')).toBe(false);
  expect(await isDenied(lab, 'quick.test')).toBe(true);
});

test('a start goes on as soon as all lists are there', async () => {
  const server = await listServer(serving('ads.test\n'));
  const begun = performance.now();
  const lab = await labOfTest({ policy: policyWith(`{ url: '${server.url}' }`) });
  expect(performance.now() - begun).toBeLessThan(4_000);
  expect(lab.told).toEqual(['waiting up to 5 s for the list ads', 'list ads: 1 domain']);
});

test('explain and check read lists as they are on disk', async () => {
  const file = writeConfig({ policy: policyWith('{ file: ads.txt }') });
  onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
  writeFileSync(join(dirname(file), 'ads.txt'), 'ads.test\nno domain\n');
  const shown: string[] = [];
  const told: string[] = [];
  const io = { out: (line: string) => shown.push(line), err: (line: string) => told.push(line), env: {}, cwd: '.' };
  expect(await explain.run(['www.ads.test', '-c', file, '--json'], io)).toBe(1);
  const explained = JSON.parse(shown.join('\n')) as { rule: string; considered: { id: string; why: string }[] };
  expect(explained.rule).toBe('listed');
  expect(explained.considered[0]).toMatchObject({
    id: 'listed',
    why: expect.stringContaining('it names the list ads') as string,
  });
  expect(await check.run(['-c', file, '--strict'], io)).toBe(1);
  expect(told.at(-1)).toMatch(/the list "ads" has 1 line that is not a domain: it is line 2/);
});
