/** What each worker is given of the limits, and where workers can have sockets of their own. */
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { canReusePort, partOf, shareOf } from '../../src/workers/share.ts';
import { writeConfig } from '../support/lab.ts';

test.each([
  [10_000, 1, 10_000],
  [10_000, 2, 5213],
  [9_500, 4, 2522],
  [20, 8, 8],
  [1, 8, 1],
  [0, 8, 0],
])('of %i, %i workers have %i each', (limit, workers, part) => {
  expect(partOf(limit, workers)).toBe(part);
});

test('parts hold what is dealt out evenly but for chance, and together not much more than the limit', () => {
  for (const workers of [2, 4, 8, 64]) {
    expect(partOf(10_000, workers)).toBeGreaterThan(10_000 / workers);
    expect(partOf(10_000, workers) * workers).toBeLessThan(10_000 * 1.3);
  }
});

test('a worker writes no file and sends no event', () => {
  const config = loadConfig(
    writeConfig({
      settings: {
        access_log: { path: 'access.log' },
        block_events: { path: 'events.log', webhook: 'http://hook.test/' },
        limits: { connections: 100, client_requests: 10 },
      },
    }),
  );
  const share = shareOf(config, 4, null);
  expect(share.accessLog.path).toBe('-');
  expect(share.blockEvents).toMatchObject({ path: 'none', webhook: null });
  expect(share.limits).toMatchObject({ connections: 40, tunnels: 40, clientRequests: 10 });
  expect(share.vendors).toBe(config.vendors);
});

test('none stays none', () => {
  const config = loadConfig(writeConfig({ settings: { access_log: { path: 'none' } } }));
  expect(shareOf(config, 2, null).accessLog.path).toBe('none');
});

test.each([
  ['v20.19.0', 'linux', false],
  ['v22.11.0', 'linux', false],
  ['v22.12.0', 'linux', true],
  ['v23.0.0', 'linux', false],
  ['v23.1.0', 'linux', true],
  ['v24.0.0', 'linux', true],
  ['v24.0.0', 'darwin', false],
])('Node.js %s on %s: a listening socket for each worker: %s', (version, platform, can) => {
  expect(canReusePort(version, platform)).toBe(can);
});
