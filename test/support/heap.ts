/**
 * What a running product holds in its heap, by its inspector (https://chromedevtools.github.io/devtools-protocol/v8/).
 */
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { serve, type Product } from './product.ts';
import type { LabOptions } from './lab.ts';
import { eventually } from './streams.ts';

export interface Inspected {
  readonly product: Product;
  /** Bytes that are held once everything that nobody holds was collected. */
  readonly heap: () => Promise<number>;
}

export async function serveInspected(options: LabOptions): Promise<Inspected> {
  const product = await serve(options, ['--inspect=127.0.0.1:0']);
  const address = (): string => /ws:\/\/\S+/.exec(product.stderr())?.[0] ?? '';
  await eventually('the address of the inspector', () => address() !== '');
  const socket = new WebSocket(address());
  onTestFinished(() => socket.terminate());
  await once(socket, 'open');
  const call = async (method: string): Promise<{ readonly usedSize?: number }> => {
    socket.send(JSON.stringify({ id: 1, method }));
    const [answer] = (await once(socket, 'message')) as [Buffer];
    return (JSON.parse(answer.toString()) as { result: { usedSize?: number } }).result;
  };
  return {
    product,
    async heap() {
      // What is weakly held goes one collection later.
      for (let i = 0; i < 3; i += 1) await call('HeapProfiler.collectGarbage');
      return (await call('Runtime.getHeapUsage')).usedSize ?? Infinity;
    },
  };
}
