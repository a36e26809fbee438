import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect, onTestFinished, test } from 'vitest';
import { readList } from '../../src/config/read-list.ts';
import type { ListFormat } from '../../src/config/list-lines.ts';
import { buildDomainSet } from '../../src/decide/domain-set.ts';

const MIB = 1024 * 1024;

async function read(content: string | Buffer, format: ListFormat = 'auto', maxBytes = MIB) {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-list-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'list');
  writeFileSync(file, content);
  return readList(file, format, maxBytes, buildDomainSet(1));
}

test('lines of all kinds, with and without an end, after a byte order mark', async () => {
  const text = '\ufeffone.test\r\n# comment\n\n0.0.0.0 two.test\n||three.test^\nnot a domain\nfour.test';
  const { set, text: facts } = await read(text);
  for (const host of ['one.test', 'two.test', 'a.three.test', 'four.test']) expect(set.find(host)).not.toBe(0);
  expect(set.find('a.two.test')).toBe(0);
  expect(set.size).toBe(4);
  expect(facts).toEqual({
    lines: 7,
    bad: 1,
    firstBad: { line: 6, why: 'not a domain' },
    sha256: createHash('sha256').update(text).digest('hex'),
  });
});

test('an empty list is a list', async () => {
  for (const text of ['', '\n', '# nothing yet']) expect((await read(text)).set.size).toBe(0);
});

test('names at every place of the buffer', async () => {
  for (const shift of [0, 1, 7, 11]) {
    const names = Array.from({ length: 12_000 }, (_, i) => `host-${i}.example`);
    const { set } = await read(`${'#'.repeat(shift)}\n${names.join('\n')}`);
    expect(set.size).toBe(names.length);
    expect(names.filter((name) => set.find(name) !== name.length)).toEqual([]);
  }
});

test('a line longer than the buffer is one bad line', async () => {
  const { set, text } = await read(`one.test\n${'x'.repeat(200_000)}\ntwo.test\n`);
  expect(set.size).toBe(2);
  expect(text).toMatchObject({ lines: 3, bad: 1, firstBad: { line: 2 } });
});

test.each([
  [
    'a page of HTML',
    '<!DOCTYPE html>\n<html>\n<body>Not found</body>\n</html>\n',
    /not a list of domains: 3 of 4 lines .* line 1/,
  ],
  ['something packed', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff]), /not a list of domains/],
  ['UTF-16', Buffer.from('\ufeffexample.com\nexample.org\n', 'utf16le'), /not a list of domains/],
  ['another format', '||one.test^\n||two.test^\n', /in another format/],
])('%s is no list', async (what, content, says) => {
  await expect(read(content, what === 'another format' ? 'hosts' : 'auto')).rejects.toThrow(says);
});

test('what is too large is not read', async () => {
  await expect(read('one.test\n'.repeat(100), 'auto', 899)).rejects.toThrow(/has 900 bytes, but max_bytes/);
});

test('a million lines leave others their turn', async () => {
  const lines = Array.from(
    { length: 1_000_000 },
    (_, i) => `d${(i * 2_654_435_761) % 4_294_967_296}.example${i % 999}.com`,
  );
  const content = lines.join('\n');
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const reading = read(content, 'plain', 64 * MIB);
  delay.enable();
  const { set } = await reading;
  delay.disable();
  expect(set.size).toBe(1_000_000);
  expect(set.bytes).toBeLessThan(64 * MIB);
  expect(delay.percentile(90) / 1e6).toBeLessThan(50);
}, 60_000);

test.skipIf(!existsSync('/proc/self/maps'))('a file without a size is read no further than a list may be', async () => {
  const reading = readList('/proc/self/maps', 'plain', 100, buildDomainSet(1));
  await expect(reading).rejects.toThrow(/^it has \d+ bytes, but max_bytes of the list is 100; raise that$/);
});
