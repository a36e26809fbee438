/** What a worker makes of a defect of its own; all else is in test/flows/workers.test.ts, with processes. */
import { expect, test } from 'vitest';
import { createWorker } from '../../src/workers/worker.ts';
import type { ToPrimary, ToWorker } from '../../src/workers/messages.ts';

test('a configuration that a defect keeps from being followed is told, and the worker drains; later ones still act', async () => {
  const said: ToPrimary[] = [];
  let tell: (message: ToWorker) => void = () => undefined;
  const worker = createWorker({
    channel: { send: (message) => void said.push(message), onMessage: (listener) => void (tell = listener) },
    build: { version: '0', nodeVersion: 'v0' },
  });
  // Nothing that the primary process sends has no policy: whoever reads it throws.
  const config = {} as never;
  tell({ kind: 'follow', config });
  tell({ kind: 'start', config } as never);
  await expect.poll(() => said.map(({ kind }) => kind)).toEqual(['ready', 'log', 'leaving', 'unfit']);
  expect(said[1]).toMatchObject({
    line: expect.stringMatching(/^uncaught exception in a worker: TypeError: /) as unknown,
  });
  expect(await worker.ended).toBe(false);
});
