import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createHostsFile, readHosts } from '../../src/act/hosts-file.ts';

test.each([
  ['127.0.0.1 localhost', 'localhost', ['127.0.0.1']],
  ['127.0.0.1\tA.Test b.test. # c.test', 'a.test', ['127.0.0.1']],
  ['127.0.0.1 a.test b.test.', 'b.test', ['127.0.0.1']],
  ['127.0.0.1 a.test # c.test', 'c.test', undefined],
  ['::1 a.test\r\n192.0.2.1 a.test\r\n::1 a.test', 'a.test', ['::1', '192.0.2.1']],
  ['nonsense a.test\n\n#127.0.0.1 a.test', 'a.test', undefined],
  ['127.0.0.1 a.test', '__proto__', undefined],
])('%j says of %s: %j', (text, name, expected) => {
  expect(readHosts(text).get(name)).toEqual(expected);
});

test('a change is seen, and a file that goes away names nobody', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-hosts-'));
  const path = join(dir, 'hosts');
  try {
    const hosts = createHostsFile(path);
    expect(await hosts('a.test')).toBeNull();
    writeFileSync(path, '192.0.2.1 a.test\n');
    expect(await hosts('a.test')).toEqual(['192.0.2.1']);
    writeFileSync(path, '192.0.2.2 a.test\n');
    utimesSync(path, 1, 1);
    expect(await hosts('a.test')).toEqual(['192.0.2.2']);
    rmSync(path);
    expect(await hosts('a.test')).toBeNull();
  } finally {
    rmSync(dir, { recursive: true });
  }
});
