/** A gibibyte each way: byte-exact, and the memory of the product stays flat. */
import { createHash, randomBytes, type Hash } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { procIsThere, residentMiB, serve, type Product } from '../support/product.ts';
import { httpOrigin } from '../support/streams.ts';
import { openTunnel } from '../support/tunnels.ts';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
/** How much the memory may grow during a transfer over what it was after a first one. */
const GROWTH = 96;
/** How much may be on its way while nobody reads: in the buffers of four sockets and of the system. */
const UNDER_WAY = 64 * MiB;

/** What one end did: the digest and the number of the bytes that it gave or took so far. */
interface Tally {
  readonly hash: Hash;
  bytes: number;
}

const newTally = (): Tally => ({ hash: createHash('sha1'), bytes: 0 });

/** Random bytes, of which each chunk bears its number: a chunk that is lost, doubled or moved changes the digest. */
function* bytesOf(length: number, tally: Tally): Generator<Buffer> {
  const noise = randomBytes(256 * 1024);
  while (tally.bytes < length) {
    const chunk = Buffer.from(noise.subarray(0, Math.min(noise.length, length - tally.bytes)));
    chunk.writeUInt32BE(tally.bytes / noise.length, 0);
    tally.hash.update(chunk);
    tally.bytes += chunk.length;
    yield chunk;
  }
}

/** Resolves when the writer at the far end has come to a stand. */
async function standstill(writer: Tally): Promise<void> {
  let before = -1;
  while (before !== writer.bytes) {
    before = writer.bytes;
    await delay(200);
  }
}

/** Reads it all, but only after the writer was stopped by nobody reading; gives how much was under way then. */
async function readAll(from: Readable, into: Tally, writer: Tally): Promise<number> {
  from.pause();
  await standstill(writer);
  const underWay = writer.bytes;
  from.on('data', (chunk: Buffer) => {
    into.hash.update(chunk);
    into.bytes += chunk.length;
  });
  const ended = once(from, 'end');
  from.resume();
  await ended;
  return underWay;
}

/** Gives as many bytes as the path says, or takes what it is sent. */
async function startOrigin(origin: Tally, client: Tally, underWay: (bytes: number) => void) {
  const { port } = await httpOrigin((req, res) => {
    if (req.method === 'GET') {
      const length = Number(req.url?.slice(1));
      res.setHeader('content-length', length);
      pipeline(Readable.from(bytesOf(length, origin)), res).catch(() => undefined);
    } else
      void readAll(req, origin, client)
        .then(underWay)
        .then(() => res.end());
  });
  return port;
}

interface Transfer {
  readonly product: Product;
  readonly way: 'tunnel' | 'forward';
  readonly direction: 'download' | 'upload';
  readonly length: number;
}

/** Moves the bytes: what both ends tallied, and how much was under way while nobody read. */
async function transfer({ product, way, direction, length }: Transfer) {
  const [origin, client] = [newTally(), newTally()];
  let underWay = 0;
  const port = await startOrigin(origin, client, (bytes) => (underWay = bytes));
  const authority = `ok.test:${port}`;
  const tunnel = way === 'tunnel';
  const socket: Socket = tunnel
    ? await openTunnel(product.proxyPort, authority)
    : connect({ port: product.proxyPort, host: '127.0.0.1' });
  const outgoing = request({
    createConnection: () => socket,
    method: direction === 'download' ? 'GET' : 'PUT',
    path: `${tunnel ? '' : `http://${authority}`}/${length}`,
    headers: { host: authority, ...(direction === 'upload' ? { 'content-length': length } : {}) },
  });
  // A socket that was paused on purpose stays so until somebody says otherwise.
  outgoing.once('socket', () => socket.resume());
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  if (direction === 'upload') await pipeline(Readable.from(bytesOf(length, client)), outgoing);
  else outgoing.end();
  const [res] = await answered;
  if (direction === 'download') underWay = await readAll(res, client, origin);
  else await once(res.resume(), 'end');
  socket.destroy();
  return { origin, client, underWay };
}

async function highest(pid: number, during: Promise<unknown>): Promise<number> {
  let peak = residentMiB(pid);
  const sampler = setInterval(() => (peak = Math.max(peak, residentMiB(pid))), 50);
  await during.finally(() => clearInterval(sampler));
  return Math.max(peak, residentMiB(pid));
}

const seen = procIsThere('that the memory stays flat during a bulk transfer');

test.each([
  ['download', 'tunnel'],
  ['upload', 'tunnel'],
  ['download', 'forward'],
  ['upload', 'forward'],
] as const)('%s of 1 GiB by %s: byte-exact, in flat memory, at the pace of who reads', async (direction, way) => {
  const product = await serve({ settings: { access_log: { path: 'none' } } });
  await transfer({ product, way, direction, length: 192 * MiB });
  const before = seen ? residentMiB(product.pid) : 0;
  const moving = transfer({ product, way, direction, length: GiB });
  const peak = seen ? await highest(product.pid, moving) : 0;
  const { origin, client, underWay } = await moving;
  expect([origin.bytes, client.bytes]).toEqual([GiB, GiB]);
  expect(client.hash.digest('hex')).toBe(origin.hash.digest('hex'));
  expect(peak - before).toBeLessThan(GROWTH);
  expect(underWay).toBeLessThan(UNDER_WAY);
});
