/**
 * What the workers of one proxy have from each other, also one that takes another's place: lists, and who logged in
 * where.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { labPolicy, writeConfig } from '../support/lab.ts';
import { recorder } from '../support/origins.ts';
import { bcryptLine } from '../support/passwords.ts';
import { procIsThere } from '../support/product.ts';
import { eventually } from '../support/streams.ts';
import { by, proxyOf, refilled, serveByTurns, workersOf } from '../support/workers.ts';

const checked = procIsThere('several workers');

test.runIf(checked)('an external list acts in all workers, and in one that comes later', async () => {
  const product = await serveByTurns({ settings: { workers: 2, reload: 'watch' } });
  const origin = await recorder('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
  const ask = async (): Promise<string> => (await curl('-x', proxyOf(product), `http://ok.test:${origin.port}/`)).out;
  const rule = '{ id: listed, lists: bad, effect: deny, reason: On the list. }';
  const listed = labPolicy.replace('rules:', `lists: { bad: { file: bad.txt } }\nrules:\n  - ${rule}`);
  writeFileSync(join(product.dir, 'bad.txt'), 'other.test\n');
  writeFileSync(join(product.dir, 'policy.yaml'), listed);
  await eventually('word of the list', () => product.stderr().includes('list bad: 1 domain'));
  for (const worker of workersOf(product)) expect(await by(product, worker, ask)).toBe('ok');

  writeFileSync(join(product.dir, 'bad.txt'), 'other.test\nok.test\n');
  await eventually('word of the longer list', () => product.stderr().includes('list bad: 2 domains'));
  const asked = (worker: number) => expect.poll(() => by(product, worker, ask));
  for (const worker of workersOf(product)) await asked(worker).toContain('On the list.');
  const [a = 0] = workersOf(product);
  process.kill(a, 'SIGKILL');
  await refilled(product, a, 2);
  for (const worker of workersOf(product)) expect(await by(product, worker, ask)).toContain('On the list.');
  expect(await product.metric('sallyport_list_domains')).toBe(2);

  // A worker that cannot read the list is none: it would let pass what the others deny.
  writeFileSync(join(product.dir, 'bad.txt'), '<html>\n<title>Gone\n');
  await eventually('the complaint', () => product.stderr().includes('not a list of domains'));
  const [first = 0] = workersOf(product);
  process.kill(first, 'SIGKILL');
  await eventually('the refusal', () => /could not be started: .*list "bad" cannot be used/.test(product.stderr()));
  expect(await ask()).toContain('On the list.');
  writeFileSync(join(product.dir, 'bad.txt'), 'ok.test\n');
  await refilled(product, first, 2);
  for (const worker of workersOf(product)) expect(await by(product, worker, ask)).toContain('On the list.');
});

test.runIf(checked)(
  'a list that was emptied under a running proxy holds also for a worker that comes later',
  async () => {
    const rule = '{ id: listed, lists: bad, effect: deny, reason: On the list. }';
    const list = join(dirname(writeConfig()), 'bad.txt');
    writeFileSync(list, 'ok.test\n');
    const policy = labPolicy.replace('rules:', `lists: { bad: { file: ${list} } }\nrules:\n  - ${rule}`);
    const product = await serveByTurns({ policy, settings: { workers: 2, reload: 'watch' } });
    writeFileSync(list, '');
    await eventually('the complaint', () => product.stderr().includes('no longer contains any domain; the last good'));
    const [first = 0] = workersOf(product);
    process.kill(first, 'SIGKILL');
    await eventually('the refusal', () =>
      /could not be started: .*no longer contains any domain; correct/.test(product.stderr()),
    );
    expect((await curl('-x', proxyOf(product), 'http://ok.test/')).out).toContain('On the list.');
    writeFileSync(list, 'ok.test\n');
    await refilled(product, first, 2);
  },
);

test.runIf(checked)('where a user has logged in is known to all workers, and to one that comes later', async () => {
  const passwords = join(dirname(writeConfig()), 'htpasswd');
  writeFileSync(passwords, await bcryptLine('ada'));
  const product = await serveByTurns({
    settings: { workers: 2, clients: { authentication: { password_file: passwords, attempts: 3 } } },
  });
  const [first = 0, second = 0] = workersOf(product);
  const status = (worker: number, from: string, password: string): Promise<string> =>
    by(product, worker, async () => {
      const user = ['-U', `ada:${password}`, '--interface', from];
      return (
        await curl(...user, '-o', '/dev/null', '-w', '%{http_code}', '-x', proxyOf(product), 'http://refused.test/')
      ).out;
    });
  expect(await status(first, '127.0.0.1', 'ada-secret')).toBe('403');
  const staysOut = async (worker: number, guesser: string): Promise<void> => {
    for (const guess of ['a', 'b', 'c']) expect(await status(worker, guesser, guess)).toBe('407');
    expect(await status(worker, '127.0.0.9', 'ada-secret')).toBe('429');
    await expect.poll(() => status(worker, '127.0.0.1', 'ada-secret')).toBe('403');
  };
  await staysOut(second, '127.0.0.2');
  process.kill(second, 'SIGKILL');
  await refilled(product, second, 2);
  const [third = 0] = workersOf(product).filter((worker) => worker !== first);
  await staysOut(third, '127.0.0.3');
});
