import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { fileDestination, noDestination, streamDestination } from '../../src/record/destinations.ts';
import type { Destination } from '../../src/record/line-writer.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(destination: Destination, text: string) {
  return new Promise<{ written: number; code: unknown }>((resolve) => {
    destination.write(Buffer.from(text), (written, error) =>
      resolve({ written, code: error !== null && 'code' in error ? error.code : error }),
    );
  });
}

function reopen(destination: Destination) {
  return new Promise<Error | null>((resolve) => destination.reopen(resolve));
}

test('a file is appended to, readable by owner and group only', async () => {
  const path = join(folder, 'access.log');
  for (const text of ['a\n', 'b\n']) {
    const destination = fileDestination(path, 'access log');
    expect(await write(destination, text)).toEqual({ written: 2, code: null });
    destination.close();
  }
  expect(readFileSync(path, 'utf8')).toBe('a\nb\n');
  expect(statSync(path).mode & 0o007).toBe(0);
});

test('after a rotation lines go to the new file once it is reopened', async () => {
  const path = join(folder, 'access.log');
  const destination = fileDestination(path, 'access log');
  await write(destination, 'a\n');
  renameSync(path, `${path}.1`);
  await write(destination, 'b\n');
  expect(await reopen(destination)).toBe(null);
  await write(destination, 'c\n');
  destination.close();
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('a\nb\n');
  expect(readFileSync(path, 'utf8')).toBe('c\n');
});

test('a reopening that fails leaves the old file in use', async () => {
  const path = join(folder, 'logs');
  const destination = fileDestination(path, 'access log');
  const moved = `${folder}-moved`;
  renameSync(folder, moved);
  expect(await reopen(destination)).toMatchObject({ code: 'ENOENT' });
  expect(await write(destination, 'a\n')).toEqual({ written: 2, code: null });
  destination.close();
  folder = moved;
});

test('a file that was deleted is made again; without its folder what is written is an error, until that is back', async () => {
  const path = join(folder, 'access.log');
  const destination = fileDestination(path, 'access log');
  await write(destination, 'a\n');
  rmSync(path);
  expect(await write(destination, 'b\n')).toEqual({ written: 2, code: null });
  expect(readFileSync(path, 'utf8')).toBe('b\n');
  rmSync(folder, { recursive: true });
  expect(await write(destination, 'c\n')).toEqual({ written: 0, code: 'ENOENT' });
  mkdirSync(folder);
  expect(await write(destination, 'd\n')).toEqual({ written: 2, code: null });
  expect(readFileSync(path, 'utf8')).toBe('d\n');
  destination.close();
});

test('a full disk is an error of the write', async () => {
  const destination = fileDestination('/dev/full', 'access log');
  expect(await write(destination, 'a\n')).toEqual({ written: 0, code: 'ENOSPC' });
  destination.close();
});

test('a pipe that nobody reads is one line at the start; one whose reader stops is tried again until it reads on', async () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  expect(() => fileDestination(path, 'access log')).toThrow(
    `access log ${path}: nothing reads from this pipe; start its reader first`,
  );
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(reader));
  const destination = fileDestination(path, 'access log');
  // More than a pipe holds.
  const text = `${'a'.repeat(100_000)}\n`;
  let over = false;
  const writing = write(destination, text).finally(() => (over = true));
  await expect.poll(() => readSync(reader, Buffer.alloc(1))).toBe(1);
  expect(over).toBe(false);
  let got = 1;
  await expect
    .poll(() => {
      try {
        got += readSync(reader, Buffer.alloc(200_000));
      } catch {
        // There is nothing to read yet.
      }
      return got;
    })
    .toBe(text.length);
  expect(await writing).toEqual({ written: text.length, code: null });
  destination.close();
});

test.each([
  [
    'a directory that is not there',
    () => join(folder, 'none', 'access.log'),
    /^block events .*ENOENT; create its folder/,
  ],
  ['a directory in place of the file', () => folder, /^block events \S+: this is a folder; name a file in it$/],
])('%s is one line that says what to do', (_name, path, message) => {
  expect(() => fileDestination(path(), 'block events')).toThrow(message);
});

test('a stream is written to, stays open, and its errors end nothing', async () => {
  const stream = new PassThrough();
  const destination = streamDestination(stream);
  expect(await write(destination, 'a\n')).toEqual({ written: 2, code: null });
  expect(stream.read()).toEqual(Buffer.from('a\n'));
  expect(await reopen(destination)).toBe(null);
  stream.destroy(new Error('reader gone'));
  expect((await write(destination, 'b\n')).written).toBe(0);
  destination.close();
});

test('a stream that holds on to what it was given has bytes of its own, for the writer uses its memory again', async () => {
  const stream = new PassThrough();
  const chunk = Buffer.from('a\n');
  await new Promise((resolve) => streamDestination(stream).write(chunk, resolve));
  chunk.fill(0);
  expect(stream.read()).toEqual(Buffer.from('a\n'));
});

test('"none" takes every line and makes no file', async () => {
  const before = readdirSync('.');
  const destination = noDestination();
  expect(await write(destination, 'a\n')).toEqual({ written: 2, code: null });
  expect(await reopen(destination)).toBe(null);
  destination.close();
  expect(readdirSync('.')).toEqual(before);
});
