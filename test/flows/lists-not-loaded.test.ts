/** Domain lists that could not be loaded: what does not come into force, and how loud the rest is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { tryConfig } from '../../src/config/load.ts';
import { createGateway } from '../../src/gateway.ts';
import { writeConfig, type Lab } from '../support/lab.ts';
import { askAgain, isDenied, listServer, policyWith, serving } from '../support/list-server.ts';
import { closedPort, labOfTest } from '../support/origins.ts';

test('a file that is no list, or cannot be read, keeps a proxy from starting and a policy from coming into force', async () => {
  const file = writeConfig({ policy: policyWith('{ file: ads.txt }') });
  onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
  const listed = join(dirname(file), 'ads.txt');
  writeFileSync(listed, '<html>\n<title>Gone\n');
  const io = { out: () => undefined, err: (line: string) => told.push(line), env: {}, cwd: '.' };
  const told: string[] = [];
  const options = { load: () => tryConfig(file), version: '0', nodeVersion: '0', stdout: new PassThrough() };
  const start = createGateway({ ...options, log: (line) => told.push(line) });
  await expect(start).rejects.toThrow(
    /policy\.yaml:\d+:\d+: the list "ads" cannot be used: .*not a list of domains.*; correct/,
  );
  expect(told).toEqual([]);
  expect(await check.run(['-c', file], io)).toBe(2);
  expect(told[0]).toMatch(
    /policy\.yaml:\d+:\d+: the list "ads" covers nothing here: it is not a list of domains.*; correct it/,
  );

  const lab = await labOfTest();
  writeFileSync(join(lab.dir, 'ads.txt'), '<html>\n<title>Gone\n');
  writeFileSync(join(lab.dir, 'policy.yaml'), policyWith('{ file: ads.txt }'));
  expect(await lab.gateway.refresh()).toBe(false);
  expect(lab.told.at(-1)).toMatch(/^reload failed, the old policy stays: .*the list "ads" cannot be used/);
  expect(await lab.metric('sallyport_config_last_reload_successful')).toBe(0);
  writeFileSync(join(lab.dir, 'ads.txt'), 'ads.test\n');
  expect(await lab.gateway.refresh()).toBe(true);
  expect(await isDenied(lab, 'ads.test')).toBe(true);
});

test('metrics say of files and URLs alike whether the last load went well, and from when on', async () => {
  const server = await listServer(serving('ads.test\n'));
  const policy = policyWith(`{ url: '${server.url}' }`).replace('  ads:', '  own: { file: own.txt }\n  ads:');
  const lab = await labOfTest();
  const own = join(lab.dir, 'own.txt');
  writeFileSync(own, 'own.test\n');
  writeFileSync(join(lab.dir, 'policy.yaml'), policy);
  expect(await lab.gateway.refresh()).toBe(true);
  const loaded = (id: string) => lab.metric('sallyport_list_last_load_successful', `list="${id}"`);
  expect([await loaded('own'), await loaded('ads')]).toEqual([1, 1]);
  const before = await lab.metric('sallyport_list_last_success_timestamp_seconds', 'list="own"');
  expect(Math.abs(Date.now() / 1000 - before)).toBeLessThan(60);
  server.answerWith((_, res) => res.writeHead(500).end());
  await askAgain(lab, policy);
  await expect.poll(() => loaded('ads')).toBe(0);
  writeFileSync(own, '<html>\n<title>Gone\n');
  expect(await lab.gateway.refresh()).toBe(true);
  expect(await loaded('own')).toBe(0);
  expect(await lab.metric('sallyport_list_domains', 'list="own"')).toBe(1);
  writeFileSync(own, 'own.test\nmore.test\n');
  expect(await lab.gateway.refresh()).toBe(true);
  expect(await loaded('own')).toBe(1);
});

/** A list with this in it, in a folder of its own. */
function listOfTest(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-list-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'ads.txt'), text);
  return join(dir, 'ads.txt');
}

async function readiness(lab: Lab): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${lab.addresses.admin.port}/readyz`);
  return `${response.status} ${await response.text()}`.trim();
}

test('until a list that a denial names was once fetched, a proxy that has started says that it is not ready', async () => {
  const server = await listServer((_, res) => res.writeHead(500).end());
  const policy = policyWith(`{ url: '${server.url}' }`);
  const lab = await labOfTest({ policy });
  expect(await readiness(lab)).toMatch(/^503 .*the list ads, which a denial names, has not been loaded yet/);
  expect(await lab.metric('sallyport_list_last_load_successful', 'list="ads"')).toBe(0);
  server.answerWith(serving('ads.test\n'));
  writeFileSync(join(lab.dir, 'policy.yaml'), `${policy}\n`);
  expect(await lab.gateway.refresh()).toBe(true);
  await expect.poll(() => readiness(lab)).toMatch(/^200/);
  const other = await closedPort();
  const late = `  late: { url: 'http://127.0.0.1:${other}/' }\n  ads:`;
  writeFileSync(
    join(lab.dir, 'policy.yaml'),
    policy.replace('  ads:', late).replace('lists: ads', 'lists: [ads, late]'),
  );
  expect(await lab.gateway.refresh()).toBe(true);
  expect(await readiness(lab)).toMatch(/^200/);
});

test('a list that only lifts what is denied keeps nobody from being ready', async () => {
  const url = `http://127.0.0.1:${await closedPort()}/`;
  const lab = await labOfTest({ policy: policyWith(`{ url: '${url}' }`).replace('effect: deny', 'effect: allow') });
  expect(await readiness(lab)).toMatch(/^200/);
});

test('a file that a denial names and that is empty at the start keeps a proxy from being ready until it has a domain', async () => {
  const list = listOfTest('# emptied\n');
  const lab = await labOfTest({ policy: policyWith(`{ file: ${list} }`), settings: { reload: 'watch' } });
  expect(await readiness(lab)).toMatch(/^503 .*the list ads, which a denial names, has no domain in it/);
  expect(lab.told).toContain(
    'list ads: 0 domains, and a denial names it: not ready until it has one; fill the file, or take the list out of the policy',
  );
  writeFileSync(list, 'ads.test\n');
  await expect.poll(() => readiness(lab), { timeout: 5_000 }).toMatch(/^200/);
  expect(await isDenied(lab, 'ads.test')).toBe(true);
  writeFileSync(list, '');
  expect(await lab.gateway.refresh()).toBe(true);
  expect(await readiness(lab)).toMatch(/^200/);
  expect(await isDenied(lab, 'ads.test')).toBe(true);
});

test('an empty file that only lifts what is denied keeps nobody from being ready, and check says nothing of it', async () => {
  const policy = policyWith(`{ file: ${listOfTest('')} }`);
  const lab = await labOfTest({ policy: policy.replace('effect: deny', 'effect: allow') });
  expect(await readiness(lab)).toMatch(/^200/);
  const told: string[] = [];
  const io = { out: () => undefined, err: (line: string) => told.push(line), env: {}, cwd: '.' };
  await check.run(['-c', lab.file], io);
  expect(told.filter((line) => line.includes('the list'))).toEqual([]);
  writeFileSync(join(lab.dir, 'policy.yaml'), policy);
  expect(await check.run(['-c', lab.file, '--strict'], io)).toBe(1);
  expect(told.filter((line) => line.includes('the list'))).toEqual([
    expect.stringMatching(
      /policy\.yaml:\d+:\d+: warning: the list "ads" has no domain in it, and a denial names it: a proxy that starts with it is not ready/,
    ),
  ]);
});
