import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { withLock } from '../../src/config/lock.ts';

let dir = '';
let file = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sallyport-lock-'));
  file = join(dir, 'exceptions.jsonl');
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
});

/** The name that this process puts beside the file. */
async function ownName(): Promise<string> {
  return withLock(file, () => Promise.resolve(readdirSync(dir)[0] ?? ''));
}

test('one at a time, each in its turn', async () => {
  let inside = 0;
  let most = 0;
  const done: number[] = [];
  const work = (number: number) =>
    withLock(file, async () => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(1);
      inside -= 1;
      done.push(number);
    });
  await Promise.all(Array.from({ length: 20 }, (_, number) => work(number)));
  expect(most).toBe(1);
  expect(done).toHaveLength(20);
  expect(readdirSync(dir)).toEqual([]);
});

test('work that fails lets go', async () => {
  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(readdirSync(dir)).toEqual([]);
});

test('a dead process is not waited for, at its turn or before it', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  const name = await ownName();
  const ofDead = (number: string, content: string): void =>
    writeFileSync(
      join(dir, name.replace(/-\d+\.\d+-[0-9a-f]{16}$/, `-${child.pid}.1-${number.padStart(16, '0')}`)),
      content,
    );
  ofDead('1', '1');
  ofDead('2', '');
  expect(readdirSync(dir)).toHaveLength(2);
  expect(await withLock(file, () => Promise.resolve('mine'))).toBe('mine');
  expect(readdirSync(dir)).toEqual([]);
});

test('neither is another process that has its number now', async () => {
  const name = await ownName();
  writeFileSync(join(dir, name.replace(/\.\d+-[0-9a-f]{16}$/, `.1-${'0'.repeat(16)}`)), '1');
  expect(await withLock(file, () => Promise.resolve('mine'))).toBe('mine');
});

test('one on another machine is waited for while it gives a sign of life, and not for ever', async () => {
  const path = join(dir, `exceptions.jsonl.lock-${'f'.repeat(12)}-1.1-${'0'.repeat(16)}`);
  writeFileSync(path, '1');
  let mine = false;
  const waiting = withLock(file, () => Promise.resolve((mine = true)));
  await sleep(200);
  expect(mine).toBe(false);
  const silent = new Date(Date.now() - 60_000);
  utimesSync(path, silent, silent);
  await waiting;
  expect(mine).toBe(true);
});

test('whoever was taken for dead is told so', async () => {
  const still = await withLock(file, async (held) => {
    const before = await held.still();
    for (const name of readdirSync(dir)) rmSync(join(dir, name));
    return [before, await held.still()];
  });
  expect(still).toEqual([true, false]);
});
