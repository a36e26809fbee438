import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test, vi } from 'vitest';
import { createWorkerHandle, type Child, type WorkerHandle } from '../../src/workers/worker-handle.ts';
import type { ToPrimary } from '../../src/workers/messages.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

afterEach(() => void vi.useRealTimers());

const start = { kind: 'end' } as const;

interface Hired {
  readonly hand: WorkerHandle;
  readonly say: (message: ToPrimary) => void;
  readonly end: (how: string) => void;
}

/** A process that is none; it tells its metrics where it does not `hang`. */
function hired(hangs: boolean): Hired {
  let say: (message: ToPrimary) => void = () => undefined;
  let end: (how: string) => void = () => undefined;
  const child: Child = {
    pid: 1,
    send: ({ kind }) => {
      if (kind === 'metrics' && !hangs) say({ kind: 'metrics', facts: [] });
    },
    onMessage: (listener) => void (say = listener),
    ended: new Promise((resolve) => (end = (how) => resolve({ how }))),
    kill: () => end('signal SIGKILL'),
  };
  const hand = createWorkerHandle(
    child,
    () => start,
    () => undefined,
  );
  return { hand, say: (message) => say(message), end: (how) => end(how) };
}

/** A clock that is not the real one takes its time over more timers that wait at once. */
const CALLS = 2_000;

test.each([
  ['tells them', false],
  ['never tells them', true],
])('asking a worker for its metrics leaves nothing behind where it %s', async (_, hangs) => {
  vi.useFakeTimers();
  const { hand } = hired(hangs);
  const askMany = async (): Promise<void> => {
    const asked = Array.from({ length: CALLS }, () => hand.metrics());
    await vi.advanceTimersByTimeAsync(2_000);
    await Promise.all(asked);
  };
  const held = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  // The first time also pays for what is made once.
  await askMany();
  const before = held();
  await askMany();
  expect((held() - before) / CALLS).toBeLessThan(150);
});

test('who waits for the metrics of a worker that ends has those of the last time at once, and so has who asks later', async () => {
  vi.useFakeTimers();
  const facts = [{ name: 'x' }] as never;
  const { hand, say, end } = hired(true);
  const first = hand.metrics();
  say({ kind: 'metrics', facts });
  expect(await first).toBe(facts);
  const waiting = hand.metrics();
  end('exit code 1');
  expect(await waiting).toBe(facts);
  expect(await hand.metrics()).toBe(facts);
  expect(await hand.left).toContain('exit code 1');
  expect(vi.getTimerCount()).toBe(0);
});
