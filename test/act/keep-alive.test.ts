import { execFileSync } from 'node:child_process';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { cancelKeepAlive, keepAliveLater } from '../../src/act/keep-alive.ts';

afterEach(() => vi.useRealTimers());

/** The kernel's timer of a connection, as `ss` shows it: `keepalive` once it was asked for. */
function timerOf(port: number): string {
  return execFileSync('ss', ['-Htno', 'state', 'established', `( dport = :${port} )`], { encoding: 'utf8' });
}

const hasSs = ((): boolean => {
  try {
    execFileSync('ss', ['-V']);
    return true;
  } catch {
    console.warn('SKIPPED: test/act/keep-alive.test.ts needs "ss" (Debian: iproute2)');
    return false;
  }
})();

test.skipIf(!hasSs)('a connection is watched by the kernel once it has lived for a while, and not before', async () => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const [kept, gone] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  await Promise.all([kept, gone].map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const lasting = keepAliveLater(kept);
  cancelKeepAlive(keepAliveLater(gone));
  expect(timerOf(port)).not.toContain('keepalive');
  vi.advanceTimersByTime(61_000);
  expect(timerOf(port).match(/keepalive/g)).toHaveLength(1);
  for (const socket of [kept, gone]) socket.destroy();
  cancelKeepAlive(lasting);
  server.close();
});
