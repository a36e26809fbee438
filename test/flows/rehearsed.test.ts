/** explain, simulate, diff and check as people run them, beside a proxy: lists, exceptions and pauses count for all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { labPolicy, writeConfig, type LogLine } from '../support/lab.ts';
import { run, serve } from '../support/product.ts';

const listed = "- { id: listed, lists: ads, effect: deny, reason: 'On the list.' }";
const never = "- { id: never, lists: later, effect: deny, reason: 'Never fetched.' }";
const unfetched =
  /^warning: the list "later" covers nothing here: there is no copy of it in \S*fetched-later\.list; only a running proxy fetches it$/m;

/** Nothing listens where the second list is: a command that fetched would say so. */
function policyWith(ads: string): string {
  const lists = `lists:\n  ads: { file: ${ads} }\n  later: { url: 'http://127.0.0.1:9/later.txt?key=secret' }\n`;
  return labPolicy.replace('rules:', `${lists}rules:\n  ${listed}\n  ${never}`);
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function sallyport(...args: readonly string[]): Promise<Ran> {
  const ran = run(args);
  const { code } = await ran.ended;
  return { code, out: ran.stdout(), err: ran.stderr() };
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-rehearsed-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A configuration whose policy has a list beside it. */
function configWith(ads: string, policy = policyWith('ads.txt')): string {
  const file = writeConfig({ policy });
  onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
  writeFileSync(join(dirname(file), 'ads.txt'), ads);
  return file;
}

/** The path of a log in which these hosts were asked for, now. */
function logOf(dir: string, hosts: readonly string[]): string {
  const at = (Date.now() / 1000).toFixed(3);
  const file = join(dir, 'access.log');
  const rest = `443 - HIER_DIRECT/10.0.0.2 -`;
  writeFileSync(file, hosts.map((host) => `${at} 10 10.0.0.1 TCP_TUNNEL/200 9 CONNECT ${host}:${rest}\n`).join(''));
  return file;
}

const spared = ['--domain', 'spared.test', '--until', '2099-01-01', '--reason', 'Needed.', '--approved-by', 'Ada'];

test('explain says what the proxy does, with lists, an exception and a pause in force', async () => {
  const dir = folder();
  writeFileSync(join(dir, 'ads.txt'), 'ads.test\nspared.test\n');
  const here = { hosts: { '*.test': '127.0.0.1', '*.com': '127.0.0.1' }, allow: ['*.test', '*.com', '127.0.0.1'] };
  const product = await serve({
    policy: policyWith(join(dir, 'ads.txt')),
    settings: { outbound: here },
  });
  expect((await sallyport('pause', 'anthropic', '2h', '-c', product.file)).code).toBe(0);
  expect((await sallyport('exceptions', 'add', '--id', 'spared', ...spared, '-c', product.file)).code).toBe(0);

  /** What the proxy's log says of a request for it. */
  const done = async (host: string): Promise<string | undefined> => {
    const from = product.stdout().length;
    await curl('-x', `http://127.0.0.1:${product.proxyPort}`, `http://${host}:9/`);
    const logged = (): string => product.stdout().slice(from);
    await expect.poll(logged).toContain(`"domain":"${host}"`);
    const lines = logged()
      .split('\n')
      .filter((text) => text.includes(`"domain":"${host}"`));
    return (JSON.parse(lines[0] ?? '') as LogLine).rule?.id;
  };
  await expect.poll(() => done('spared.test'), { timeout: 5_000 }).toBe('spared');
  const paused = await sallyport('explain', 'api.anthropic.com', '-c', product.file);
  expect(paused.out).toContain('  rule       claude-ban\n  lifted by  the pause pause-anthropic\n');
  const cases = [
    ['www.ads.test', 'listed', 'deny'],
    ['www.spared.test', 'spared', 'allow'],
    ['api.anthropic.com', 'claude-ban', 'monitor'],
    ['api.openai.com', 'openai-ban', 'deny'],
    ['elsewhere.test', 'default-unlisted', 'allow'],
  ] as const;
  for (const [host, rule, effect] of cases) {
    const { out, err, code } = await sallyport('explain', `http://${host}:9/`, '--json', '-c', product.file);
    const told = JSON.parse(out) as { rule: string };
    expect(told).toMatchObject({ host, rule, effect });
    expect(code).toBe(effect === 'deny' ? 1 : 0);
    expect(err).toMatch(unfetched);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect([host, await done(host)]).toEqual([host, told.rule]);
  }
});

test('simulate judges by lists, exceptions and pauses, and says which list is not there', async () => {
  const file = configWith('ads.test\nspared.test\n');
  await sallyport('pause', 'anthropic', '2h', '-c', file);
  await sallyport('exceptions', 'add', ...spared, '-c', file);
  const log = logOf(dirname(file), ['www.ads.test', 'spared.test', 'api.anthropic.com', 'api.openai.com']);
  const { out, err } = await sallyport('simulate', '--log', log, '--json', '-c', file);
  const { effects } = JSON.parse(out) as { effects: Record<string, { attempts: number }> };
  expect(effects).toMatchObject({ deny: { attempts: 2 }, monitor: { attempts: 1 }, allow: { attempts: 1 } });
  expect(err).toMatch(unfetched);

  const other = join(dirname(file), 'other.yaml');
  writeFileSync(other, policyWith('ads.txt').replace(listed, '').replace('rules:\n  \n', 'rules:\n'));
  const compared = await sallyport('simulate', '--log', log, '--against', other, '-c', file);
  expect(compared.out).toContain('newly allowed: 1 attempt, 1 user');
  expect(compared.err.split('\n').filter((text) => unfetched.test(text))).toHaveLength(1);
});

test('diff says what a list comes to, what another copy of it has, and which pause is new', async () => {
  const before = configWith('ads.test\nold.test\n');
  const after = configWith('ads.test\nnew.test\n=api.openai.com\n');
  await sallyport('pause', 'anthropic', '2h', '-c', after);
  const { out, code } = await sallyport('diff', before, after);
  expect(code).toBe(1);
  expect(out).toMatch(/^ {2}\+ pause \S+: vendor anthropic, from .*, until .*$/m);
  expect(out).toContain('~ list ads: 2 domains more (new.test, api.openai.com), 1 domain fewer (old.test)');
  expect(out).toContain(
    'hosts that the list ads gains, for everyone: denied by listed, was allowed by default-unlisted',
  );
  expect(out).toContain(
    'hosts that the list ads loses, for everyone: allowed by default-unlisted, was denied by listed',
  );
  expect(out).toMatch(
    /^ {2}anthropic.*, for everyone, .*: counted by claude-ban under the pause pause-anthropic, was denied by claude-ban$/m,
  );

  // A policy by itself has its lists where the one that it takes the place of has them.
  const plain = join(folder(), 'policy.yaml');
  writeFileSync(plain, policyWith('ads.txt').replace(`${listed}\n`, '\n'));
  const rule = await sallyport('diff', plain, join(dirname(before), 'policy.yaml'), '-c', before);
  expect(rule.out).toBe(`the policy says
  + rule listed: denies list ads for everyone: On the list.
the effect is
  hosts of the list ads, for everyone: denied by listed, was allowed by default-unlisted
`);
});

test('check reads every list, and counts what is in force', async () => {
  const file = configWith('ads.test\nwww.ads.test\n');
  await sallyport('pause', 'anthropic', '2h', '-c', file);
  const { code, out, err } = await sallyport('check', '-c', file);
  expect(code).toBe(0);
  expect(out).toMatch(/ 0 exceptions, 1 pause, .* 2 lists, 2 listed domains, hash /);
  expect(err).toMatch(/policy\.yaml:7:3: warning: the list "later" covers nothing here/);
  const { lists } = JSON.parse((await sallyport('check', '--json', '-c', file)).out) as { lists: unknown };
  expect(lists).toEqual([
    { id: 'ads', file: join(dirname(file), 'ads.txt'), domains: 2, badLines: 0 },
    { id: 'later', file: join(dirname(file), 'fetched-later.list'), domains: null, badLines: null },
  ]);

  const another = configWith('ads.test\n', policyWith(`ads.txt, sha256: ${'f'.repeat(64)}`));
  const strict = await sallyport('check', '--strict', '-c', another);
  expect(strict.code).toBe(2);
  expect(strict.err).toContain('the list "ads" covers nothing here: its SHA-256 is');
});

test('the shipped configuration is checked without a word of warning', async () => {
  expect(await sallyport('check', '--strict')).toMatchObject({ code: 0, err: '' });
});
