import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import { simulate } from '../../src/cli/simulate.ts';
import { goodPolicy, makeConfig } from '../config/folder.ts';

const line = '1783670400.000 10 192.0.2.1 TCP_TUNNEL/200 39 CONNECT www.acme.test:443 - HIER_DIRECT/1.2.3.4 -\n';
const open = goodPolicy.replace('effect: deny', 'effect: allow');
const dir = makeConfig({
  'access.log': line,
  'hostile.log': line.replace('443 -', '443 ad\u001b]0;title\u0007a\u009b2J'),
  'empty.log': 'nothing\n',
  'open.yaml': open,
  'other.yaml': 'policy: open.yaml\n',
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly bars: readonly string[];
}

async function run(...args: readonly string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const bars: string[] = [];
  const io = {
    out: (text: string) => out.push(text),
    err: (text: string) => err.push(text),
    env: {},
    cwd: dir,
    stdin: Readable.from([Buffer.from(line)]),
    progress: (text: string) => bars.push(text),
  };
  const code = await simulate.run(['-c', 'sallyport.yaml', ...args], io);
  return { code, out: out.join('\n'), err: err.join('\n'), bars };
}

test('says what would have been', async () => {
  const { code, out, bars } = await run('--log', 'access.log');
  expect(code).toBe(0);
  expect(out).toContain('access.log (squid): 1 line, 1 attempt');
  expect(out).toMatch(/^ {2}denied +1 +1$/m);
  expect(out).toMatch(/^ {2}acme +1 +1 +0 +0 +www\.acme\.test$/m);
  expect(out).toMatch(/^ {2}ban +deny +1 +1$/m);
  expect(bars[0]).toMatch(/^\[#{30}\] 100% {2}1 lines$/);
  expect(bars.at(-1)).toBe('');
});

test('says which groups no log tells of, in which it takes nobody to be', async () => {
  const told = goodPolicy
    .replace('rules:', '  design: { forwarded: Chip Design }\nrules:')
    .replace('vendors: acme', 'vendors: acme\n    groups: design');
  writeFileSync(join(dir, 'told.yaml'), told);
  writeFileSync(join(dir, 'forwarding.yaml'), 'policy: told.yaml\n');
  const { out } = await run('-c', 'forwarding.yaml', '--log', 'access.log');
  expect(out).toContain(
    '\ngroups that no log tells, because a proxy or a directory does ("forwarded"), so that nobody is in them here: design\n',
  );
  expect((await run('--log', 'access.log')).out).not.toContain('groups that no log tells');
  const { out: json } = await run('-c', 'forwarding.yaml', '--log', 'access.log', '--json');
  expect(JSON.parse(json)).toMatchObject({ groupsNotTold: ['design'] });
});

test('shows what moves the cursor of a terminal, and does not do it', async () => {
  const { out } = await run('--log', 'hostile.log');
  expect(out).toContain('ad\\u001b]0;title\\u0007a\\u009b2J');
  expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});

test('prints every fact as JSON', async () => {
  const { out } = await run('--log', 'access.log', '--json');
  const facts = JSON.parse(out) as Record<string, unknown>;
  expect(facts).toMatchObject({
    policy: { file: join(dir, 'policy.yaml') },
    against: null,
    judgedAt: null,
    attempts: 1,
  });
});

test('reads standard input, without a bar whose end nobody knows', async () => {
  const { code, out, bars } = await run('--log', '-');
  expect(code).toBe(0);
  expect(out).toContain('standard input (squid): 1 line');
  expect(bars[0]).toBe('1 lines');
});

test.each([['open.yaml'], ['other.yaml']])('compares with %s', async (other) => {
  const { code, out } = await run('--log', 'access.log', '--against', other);
  expect(code).toBe(0);
  expect(out).toContain(`what changes with ${other}`);
  expect(out).toContain('newly allowed: 1 attempt, 1 user');
  expect(out).toContain('rule ban -> ban: 1 attempt, 1 user');
  expect(out).toContain('for example www.acme.test, requested by 192.0.2.1 at 2026-07-10T07:59:59.990Z');
  expect((await run('--log', 'access.log', '--against', other, '--fail-on-change')).code).toBe(1);
});

test('a log needs no option', async () => {
  const { code, out } = await run('access.log', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual(JSON.parse((await run('--log', 'access.log', '--json')).out));
});

test('no change is no failure', async () => {
  expect((await run('--log', 'access.log', '--against', 'policy.yaml', '--fail-on-change')).code).toBe(0);
});

test('a log with nothing in it is a no', async () => {
  const { code, err, out } = await run('--log', 'empty.log');
  expect(code).toBe(1);
  expect(err).toContain('no attempt was found in empty.log');
  expect(out).toContain('empty.log:1: in none of the supported formats: nothing');
});

test('an empty standard input is told as that', async () => {
  const told: string[] = [];
  const print = (line: string): void => void told.push(line);
  const io = { out: () => undefined, err: print, env: {}, cwd: dir, stdin: Readable.from([]) };
  expect(await simulate.run(['-', '-c', 'sallyport.yaml'], io)).toBe(1);
  expect(told.at(-1)).toBe(
    'simulate: no attempt was found in standard input; it has no lines; pipe or name another log',
  );
});

test('as of another day', async () => {
  const { out } = await run('--log', 'access.log', '--at', '2026-12-01');
  expect(out).toContain('all as of 2026-12-01T00:00:00.000Z');
  expect((await run('--log', 'access.log', '--from', '2026-08-01')).out).toContain('1 line outside --from and --to');
});

test.each([
  [[], 'name a log'],
  [['--log', 'missing.log'], 'there is no file missing.log'],
  [['--log', '.'], 'is a folder'],
  [['--log', '-', '--log', '-'], 'only once'],
  [['--log', 'access.log', '--format', 'squad'], 'did you mean "squid"?'],
  [['--log', 'access.log', '--top', '0'], '--top'],
  [['--log', 'access.log', '--at', 'soon'], '--at: "soon" is not a date'],
  [['--log', 'access.log', '--from', '2026-08-01', '--to', '2026-07-01'], '--from is not before --to'],
  [['--log'], '--log needs a value after it'],
  [['--log', 'access.log', '--at', '-x'], '--at needs a value; if that begins with "-", write --at=-VALUE'],
  [['access.log', '--json=yes'], '--json takes no value'],
  [['--log', 'access.log', '--fail-on-change'], '--against'],
  [['--log', 'access.log', '--against', 'missing.yaml'], 'no such file'],
])('wrong use: %j', async (args, message) => {
  await expect(run(...args)).rejects.toThrow(message);
});

test('a compressed form that is not read here is wrong use', async () => {
  writeFileSync(join(dir, 'access.log.xz'), Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0]));
  await expect(run('--log', 'access.log.xz')).rejects.toThrow('xzcat');
});
