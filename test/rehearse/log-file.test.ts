import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { openLog, UnreadableLog } from '../../src/rehearse/log-file.ts';

/** As a stream of pieces of that many bytes. */
function pieces(bytes: Buffer, size: number): AsyncIterable<Buffer> {
  const all: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) all.push(bytes.subarray(at, at + size));
  return Readable.from(all);
}

async function linesOf(bytes: Buffer, size: number): Promise<{ compression: string; lines: string[] }> {
  const { compression, batches } = await openLog(pieces(bytes, size));
  const lines: string[] = [];
  for await (const batch of batches) lines.push(...batch);
  return { compression, lines };
}

const text = 'one\ntwo ü\n\nfour\nfive without a newline';
const lines = text.split('\n');

test.each([1, 2, 3, 7, 1000])('lines are whole, whatever the pieces of %i bytes', async (size) => {
  expect(await linesOf(Buffer.from(text), size)).toEqual({ compression: 'none', lines });
  expect(await linesOf(zlib.gzipSync(text), size)).toEqual({ compression: 'gzip', lines });
});

test('reads gzip files that were put one behind the other', async () => {
  const both = Buffer.concat([zlib.gzipSync('one\n'), zlib.gzipSync('two\n')]);
  expect((await linesOf(both, 1000)).lines).toEqual(['one', 'two']);
});

test('an empty log has no lines', async () => {
  expect((await linesOf(Buffer.alloc(0), 1)).lines).toEqual([]);
});

test('a log that is cut off gives its lines, then says so', async () => {
  const whole = zlib.gzipSync(Array.from({ length: 5000 }, () => randomBytes(30).toString('hex')).join('\n'));
  const { batches } = await openLog(pieces(whole.subarray(0, whole.length / 2), 1000));
  let seen = 0;
  const read = async (): Promise<void> => {
    for await (const batch of batches) seen += batch.length;
  };
  await expect(read()).rejects.toThrow('unexpected end of file');
  expect(seen).toBeGreaterThan(1000);
});

test('of a line without end only the beginning is kept', async () => {
  const { lines: found } = await linesOf(Buffer.from(`${'a'.repeat(2_000_000)}\nnext\n`), 64 * 1024);
  expect(found.map((line) => line.length)).toEqual([256 * 1024, 4]);
});

test.each([
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0], 'xzcat'],
  ['bzip2', [0x42, 0x5a, 0x68, 0x39, 0, 0], 'bzcat'],
])('says how %s can be read', async (_, bytes, tool) => {
  await expect(openLog(pieces(Buffer.from(bytes), 10))).rejects.toThrow(tool);
});

const compressZstd = (zlib as { readonly zstdCompressSync?: (text: string) => Buffer }).zstdCompressSync;

test('reads zstd where Node has it, and says how to get by where it has not', async () => {
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0]);
  if (compressZstd === undefined) await expect(openLog(pieces(magic, 10))).rejects.toThrow(UnreadableLog);
  else expect(await linesOf(compressZstd(text), 7)).toEqual({ compression: 'zstd', lines });
});
