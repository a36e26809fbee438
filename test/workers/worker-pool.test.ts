import { generateKeyPairSync } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import type { WorkerPoolStart } from '../../src/gateway/worker-pool.ts';
import { createWorkerPool } from '../../src/workers/worker-pool.ts';
import type { Child } from '../../src/workers/worker-handle.ts';
import type { ToPrimary, ToWorker } from '../../src/workers/messages.ts';

afterEach(() => void vi.useRealTimers());

const key = generateKeyPairSync('ed25519').privateKey;
const proxy = { host: '127.0.0.1', port: 3128 };
const begin = {
  config: {
    limits: { drainTimeout: 0 },
    clients: { authentication: null },
    accessLog: { path: 'none' },
    blockEvents: {},
    proxyTls: null,
  },
  shared: { authority: { key }, leafKey: key },
  addresses: { proxy, pages: proxy, admin: proxy },
  lists: () => [],
} as unknown as WorkerPoolStart;

/** A pool of processes that are none; each answers as long as it is not `stuck`. */
function crewOf(size: number) {
  const told: string[] = [];
  const stuck = new Set<number>();
  const killed: number[] = [];
  let pids = 0;
  const spawn = (): Child => {
    const pid = (pids += 1);
    let say: (message: ToPrimary) => void = () => undefined;
    let gone: (end: { how: string }) => void = () => undefined;
    const answers: Partial<Record<ToWorker['kind'], () => void>> = {
      start: () => say({ kind: 'listening', proxy, tlsPort: null }),
      metrics: () => say({ kind: 'metrics', facts: [] }),
      end: () => gone({ how: 'exit code 0' }),
    };
    return {
      pid,
      send({ kind }) {
        if (!stuck.has(pid)) answers[kind]?.();
      },
      onMessage(listener) {
        say = listener;
        queueMicrotask(() => say({ kind: 'ready' }));
      },
      ended: new Promise((resolve) => (gone = resolve)),
      kill() {
        killed.push(pid);
        gone({ how: 'signal SIGKILL' });
      },
    };
  };
  const hears = { log: (line: string) => void told.push(line) };
  return { crew: createWorkerPool({ size, spawn, reusePort: false }, hears as never), told, stuck, killed };
}

test('a worker that hangs is killed and replaced, and only that one', async () => {
  vi.useFakeTimers();
  const { crew, told, stuck, killed } = crewOf(2);
  await crew.listen(begin);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(killed).toEqual([]);
  stuck.add(2);
  await vi.advanceTimersByTimeAsync(25_000);
  expect(killed).toEqual([]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(killed).toEqual([2]);
  expect(told[0]).toBe('worker 2 has not responded for 30 s; killing it');
  vi.useRealTimers();
  await vi.waitFor(() => expect(crew.counts()).toEqual({ running: 2, replaced: 1 }));
  await crew.close();
});
