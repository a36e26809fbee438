import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { readInto } from '../src/read-into.ts';
import { relay } from '../src/act/relay.ts';
import { eventually, socketPair } from './support/streams.ts';

/** Reads into the same four bytes again and again, and stops where `goOn` says so. */
function four(goOn: () => boolean): { onread: Parameters<typeof readInto>[1]; heard: string[] } {
  const memory = Buffer.alloc(4);
  const heard: string[] = [];
  const callback = (length: number): boolean => {
    heard.push(memory.toString('latin1', 0, length));
    return goOn();
  };
  return { onread: { buffer: () => memory, callback }, heard };
}

test('an accepted socket is read into the memory that it is given, at the pace of its reader, to its end', async () => {
  const { near, far } = await socketPair();
  far.write('before');
  expect(String((await once(near, 'data'))[0])).toBe('before');
  const asData: unknown[] = [];
  near.on('data', (chunk) => asData.push(chunk));
  let free = false;
  const { onread, heard } = four(() => free);
  expect(readInto(near, onread)).toBe(true);
  near.resume();
  far.end('one two three');
  await eventually('the first bytes', () => heard.length > 0);
  // It would have read more by now, had it not been told to stop.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(heard).toEqual(['one ']);
  free = true;
  near.resume();
  await once(near, 'end');
  expect(heard.join('')).toBe('one two three');
  expect(asData).toEqual([]);
  expect(near.bytesRead).toBe('beforeone two three'.length);
});

test('a socket that is closed stays as it is', async () => {
  const { near } = await socketPair();
  const { onread } = four(() => true);
  near.destroy();
  expect(readInto(near, onread)).toBe(false);
});

const SIZE = 3_000_000;

/** What comes, and whether it ended in good order. */
async function received(socket: Socket, pauses: boolean): Promise<{ text: string; whole: boolean }> {
  const chunks: Buffer[] = [];
  let whole = false;
  socket.on('end', () => {
    whole = true;
    socket.end('thank you');
  });
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (!pauses) return;
    socket.pause();
    setImmediate(() => socket.resume());
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return { text: Buffer.concat(chunks).toString('latin1'), whole };
}

test('many uploads at once do not mix, whatever pace their readers keep, some of them cut in the middle', async () => {
  const all = Array.from({ length: 30 }, async (_, i) => {
    const [left, right] = await Promise.all([socketPair(), socketPair()]);
    const done = relay(left.near, right.near, 10_000);
    const letter = String.fromCharCode(65 + (i % 26));
    const got = received(right.far, i % 3 === 0);
    const answer = received(left.far, false);
    left.far.write(Buffer.alloc(SIZE, letter));
    const cut = i % 5 === 0;
    if (cut) right.far.once('data', () => left.far.resetAndDestroy());
    else left.far.end();
    const { text, whole } = await got;
    expect(text.replaceAll(letter, '')).toBe('');
    expect(whole).toBe(!cut);
    if (cut) return;
    expect(text.length).toBe(SIZE);
    expect((await answer).text).toBe('thank you');
    expect(await done).toEqual({ error: null });
  });
  await Promise.all(all);
});

test('an upload goes on for as long as it is read, and its tunnel closes where it is not', async () => {
  const [left, right] = await Promise.all([socketPair(), socketPair()]);
  const done = relay(left.near, right.near, 1_000);
  const block = Buffer.alloc(100_000);
  const more = (): void => {
    while (left.far.write(block));
  };
  left.far.on('drain', more);
  more();
  let bytes = 0;
  right.far.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await eventually('much was read', () => bytes > 20_000_000);
  right.far.pause();
  expect(await done).toEqual({ error: 'idle_timeout' });
});
