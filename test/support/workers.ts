/** The workers of a running product, each alone for a while. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { LabOptions } from './lab.ts';
import { serve, type Product } from './product.ts';
import { eventually } from './streams.ts';

/** `serve` for {@link by}: in it no connection is dealt to a process that stands still. */
export function serveByTurns(options: LabOptions): Promise<Product> {
  return serve(options, ['--import', new URL('one-listening-socket.mjs', import.meta.url).href]);
}

/** Process ids, the longest running first. */
export function workersOf(product: Product): readonly number[] {
  const list = ['-o', 'pid=,args=', '--sort=start_time', '--ppid', String(product.pid)];
  return execFileSync('ps', list, { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(' serve '))
    .map((line) => Number.parseInt(line, 10));
}

/**
 * Does something while all workers but one stand still; it is tried again where a connection was waiting at one of
 * those.
 */
export async function by<T>(product: Product, worker: number, act: () => Promise<T>): Promise<T> {
  const others = workersOf(product).filter((pid) => pid !== worker);
  for (const pid of others) process.kill(pid, 'SIGSTOP');
  try {
    for (let attempt = 0; attempt < 30; attempt += 1) {
      const done = await Promise.race([act().then((value) => ({ value })), setTimeout(3_000, null)]);
      if (done !== null) return done.value;
    }
    throw new Error(`worker ${worker} did not serve`);
  } finally {
    for (const pid of others) process.kill(pid, 'SIGCONT');
  }
}

/** Waits until others have taken the place of those that are gone, and serve. */
export async function refilled(product: Product, gone: number, count: number): Promise<void> {
  await eventually(
    'a worker in the place of the one that is gone',
    () => workersOf(product).filter((pid) => pid !== gone).length === count,
    20_000,
  );
  const deadline = performance.now() + 20_000;
  while ((await product.metric('sallyport_workers')) !== count) {
    if (performance.now() > deadline)
      throw new Error(`only ${await product.metric('sallyport_workers')} workers serve`);
    await setTimeout(50);
  }
}

export const proxyOf = ({ proxyPort }: Product): string => `http://127.0.0.1:${proxyPort}`;

/** Those of the access log, `access.log` beside the configuration, once there are as many. */
export async function lines(product: Product, count: number): Promise<readonly string[]> {
  const read = (): string[] => readFileSync(join(product.dir, 'access.log'), 'utf8').split('\n').slice(0, -1);
  await eventually('the lines of the access log', () => read().length >= count);
  return read();
}
