/** A proxy that stops: what it cuts at the end of the drain time is recorded like everything else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LogLine } from '../support/lab.ts';
import { serve, type Product } from '../support/product.ts';
import { connectRaw, eventually, httpOrigin, tcpOrigin } from '../support/streams.ts';
import { openTunnel, rawTunnel, tlsOver } from '../support/tunnels.ts';

const logged = ({ dir }: Product): readonly LogLine[] =>
  readFileSync(join(dir, 'access.log'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);

/** Opens one of each kind of attempt that lasts, and says how many there are. */
async function occupy({ proxyPort, dir }: Product): Promise<number> {
  const echo = await tcpOrigin((socket) => void socket.on('data', (chunk: Buffer) => socket.write(chunk)));
  const silent = await tcpOrigin((socket) => void socket.resume());
  const half = await httpOrigin((_req, res) => void res.writeHead(200, { 'Content-Length': 10 }).write('half'));
  const switching = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  const web = await tcpOrigin((socket) => void socket.once('data', () => socket.write(switching)));

  await rawTunnel(proxyPort, `127.0.0.1:${silent.port}`);
  await rawTunnel(proxyPort, 'chatgpt.com:443');
  const relayed = await rawTunnel(proxyPort, `127.0.0.1:${echo.port}`);
  relayed.write('hello');
  await relayed.until('hello');
  const get = (port: number, fields = ''): string =>
    `GET http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${fields}\r\n`;
  await connectRaw(proxyPort, get(silent.port));
  await (await connectRaw(proxyPort, get(half.port))).until('half');
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n';
  await (await connectRaw(proxyPort, get(web.port, upgrade))).until(' 101 ');
  const ca = readFileSync(join(dir, 'certs/ca.pem'), 'utf8');
  const inside = await tlsOver(await openTunnel(proxyPort, 'claude.ai:443'), { ca, servername: 'claude.ai' });
  inside.write('GET / HTTP/1.1\r\nHost: cla');
  return 7;
}

test.each([1, 2])(
  'with %d workers, what is open after the drain time is cut, and each has its line',
  async (workers) => {
    const settings = { workers, access_log: { path: 'access.log' }, limits: { drain_timeout: '300ms' } };
    const product = await serve({ settings });
    const count = await occupy(product);
    product.kill('SIGTERM');
    expect(await product.ended).toEqual({ code: 0, signal: null });
    const lines = logged(product);
    expect(lines.map(({ event, sallyport }) => [event.action, sallyport['error']])).toEqual(
      Array<unknown>(count).fill([expect.stringMatching(/-(?:failed|blocked)$/), 'draining']),
    );
  },
);

test('a second signal cuts at once, and each has its line too', async () => {
  const product = await serve({ settings: { access_log: { path: 'access.log' } } });
  const count = await occupy(product);
  product.kill('SIGTERM');
  await eventually('that it drains', () => product.stderr().includes('draining'));
  product.kill('SIGTERM');
  expect(await product.ended).toEqual({ code: 0, signal: null });
  expect(logged(product)).toHaveLength(count);
});
