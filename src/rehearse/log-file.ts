/** Reads the lines of a log, from a file or a stream, compressed or not, in constant memory. */
import { Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import type { Transform } from 'node:stream';

export type Compression = 'none' | 'gzip' | 'zstd';

export interface LogLines {
  readonly compression: Compression;
  /** Lines without their newline, in batches of thousands. Throws if compressed data is truncated or damaged. */
  readonly batches: AsyncIterable<readonly string[]>;
}

/** Thrown for a file that cannot be read. The message says what to do. */
export class UnreadableLog extends Error {
  override readonly name = 'UnreadableLog';
}

/**
 * Bytes. A longer line is not from a log: only its beginning is passed on, to be counted as bad.
 */
const longest = 256 * 1024;

const newline = 0x0a;

const signatures: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
];

function signatureOf(first: Buffer): string {
  return signatures.find(([, bytes]) => bytes.every((byte, i) => first[i] === byte))?.[0] ?? 'none';
}

/** Requires a newer Node than the oldest supported one, whose types do not declare it. */
function zstdDecompress(): Transform {
  const make = (zlib as { readonly createZstdDecompress?: () => Transform }).createZstdDecompress;
  if (make === undefined)
    throw new UnreadableLog('zstd needs Node.js 22.15 or later; pipe it in with "zstdcat FILE |" and "--log -"');
  return make();
}

function decompressed(
  source: AsyncIterable<Buffer>,
  signature: string,
): { compression: Compression; bytes: AsyncIterable<Buffer> } {
  if (signature === 'none') return { compression: 'none', bytes: source };
  if (signature !== 'gzip' && signature !== 'zstd') {
    throw new UnreadableLog(
      `${signature} is not supported; pipe it in with "${signature === 'xz' ? 'xzcat' : 'bzcat'} FILE |" and "--log -"`,
    );
  }
  const unpack = signature === 'gzip' ? zlib.createGunzip({ chunkSize: 256 * 1024 }) : zstdDecompress();
  const from = Readable.from(source, { objectMode: false });
  from.on('error', (error) => unpack.destroy(error));
  return { compression: signature, bytes: from.pipe(unpack) };
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly string[]> {
  let kept: Buffer[] = [];
  let size = 0;
  const keep = (piece: Buffer): void => {
    const room = longest - size;
    if (room <= 0 || piece.length === 0) return;
    kept.push(piece.length > room ? piece.subarray(0, room) : piece);
    size += Math.min(piece.length, room);
  };
  for await (const chunk of chunks) {
    const last = chunk.lastIndexOf(newline);
    if (last === -1) {
      keep(chunk);
      continue;
    }
    const first = chunk.indexOf(newline);
    keep(chunk.subarray(0, first));
    const head = Buffer.concat(kept).toString('utf8');
    const rest = last > first ? chunk.toString('utf8', first + 1, last).split('\n') : [];
    kept = [];
    size = 0;
    // Copied, as the stream may reuse its memory.
    keep(Buffer.from(chunk.subarray(last + 1)));
    yield [head, ...rest];
  }
  if (size > 0) yield [Buffer.concat(kept).toString('utf8')];
}

/** @throws {UnreadableLog} */
export async function openLog(source: AsyncIterable<Buffer>): Promise<LogLines> {
  const chunks = source[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let length = 0;
  let ended = false;
  while (length < 5 && !ended) {
    const next = await chunks.next();
    ended = next.done === true;
    if (next.done === true) break;
    first.push(next.value);
    length += next.value.length;
  }
  const head = Buffer.concat(first);
  async function* whole(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  }
  const { compression, bytes } = decompressed(whole(), signatureOf(head));
  return { compression, batches: linesOf(bytes) };
}
