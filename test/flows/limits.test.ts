/** What happens at each limit, on the whole product: an answer or a reset, never a bare end, and a count. */
import { execFileSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { startLab, type Lab } from '../support/lab.ts';
import { serve } from '../support/product.ts';
import { connectRaw, exchange, httpOrigin, tcpOrigin, type RawClient } from '../support/streams.ts';
import { connectHead, openTunnel, tlsOver } from '../support/tunnels.ts';

async function lab(limits: object): Promise<Lab> {
  const started = await startLab({ settings: { limits } });
  onTestFinished(() => started.close());
  return started;
}

const refused = connectHead('refused.test:443');

test.each([
  ['all tunnels', { tunnels: 1 }, 'connection_limit', 'tunnels'],
  ['those of one client', { client_tunnels: 1 }, 'client_limit', 'client_tunnels'],
])('more tunnels than %s may be are answered 503, until one has ended', async (_what, limits, code, limit) => {
  const { proxyPort, metric } = await lab(limits);
  const origin = await tcpOrigin(() => undefined);
  const first = await connectRaw(proxyPort, connectHead(`127.0.0.1:${origin.port}`));
  await first.until('200');
  const second = await exchange(proxyPort, refused);
  expect(second).toMatch(/^HTTP\/1\.1 503 /);
  expect(second).toContain(code);
  expect(second).toContain('\r\nRetry-After: 5\r\n');
  expect(await metric('sallyport_limited_total', `limit="${limit}"`)).toBe(1);
  first.socket.resetAndDestroy();
  await expect.poll(() => exchange(proxyPort, refused)).toContain('Refused at the CONNECT');
});

test('a client that asks too often is answered 429, in a tunnel and in the clear', async () => {
  const { proxyPort, metric, lines } = await lab({ client_requests: 2 });
  const get = 'GET http://refused.test/ HTTP/1.1\r\nHost: refused.test\r\n\r\n';
  const codes: string[] = [];
  for (let i = 0; i < 4; i += 1) codes.push((await exchange(proxyPort, refused)).slice(9, 12));
  const [tunnel, request] = await Promise.all([exchange(proxyPort, refused), exchange(proxyPort, get)]);
  expect(codes).toEqual(['403', '403', '403', '403']);
  expect(tunnel).toMatch(/^HTTP\/1\.1 429 /);
  expect(request).toMatch(/^HTTP\/1\.1 429 /);
  expect(await metric('sallyport_limited_total', 'limit="client_requests"')).toBe(2);
  await expect.poll(() => lines().filter(({ sallyport }) => sallyport['error'] === 'rate_limit').length).toBe(2);
});

test('what is open for as long as it may be is cut, and says so', async () => {
  const { proxyPort, metric, lines } = await lab({ connection_lifetime: '700ms' });
  const origin = await tcpOrigin((socket) => void socket.on('data', (chunk: Buffer) => socket.write(chunk)));
  const client = await connectRaw(proxyPort, connectHead(`127.0.0.1:${origin.port}`));
  await client.until('200');
  const more = setInterval(() => client.write('x'), 50);
  onTestFinished(() => clearInterval(more));
  expect((await client.ended).how).toBe('reset');
  await expect.poll(() => lines()[0]?.sallyport['error']).toBe('lifetime_limit');
  expect(await metric('sallyport_limited_total', 'limit="connection_lifetime"')).toBe(1);
});

test('a kept-alive connection that is open for as long as it may be is cut without an answer to nothing', async () => {
  const { proxyPort, lines } = await lab({ connection_lifetime: '700ms' });
  const origin = await httpOrigin((_req, res) => res.end('hello'));
  const kept = await connectRaw(
    proxyPort,
    `GET http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`,
  );
  const { text, how } = await kept.ended;
  expect(how).toBe('reset');
  expect(text.endsWith('hello')).toBe(true);
  expect(lines()).toHaveLength(1);
});

test('an origin that takes a request and does not begin to answer ends in 504', async () => {
  const { proxyPort } = await lab({ response_timeout: '300ms' });
  const origin = await tcpOrigin((socket) => void socket.resume());
  const authority = `127.0.0.1:${origin.port}`;
  const answer = await exchange(proxyPort, `GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 504 /);
  expect(answer).toContain('response_timeout');
});

test('a flood of names delays nobody whose name has its leaf, and the surplus is told', async () => {
  const { proxyPort, ca, metric } = await lab({ leaf_certificates: 10 });
  const ask = async (host: string): Promise<string> => {
    try {
      const tls = await tlsOver(await openTunnel(proxyPort, `${host}:443`), { ca, servername: host });
      tls.destroy();
      return 'shown';
    } catch (error) {
      return String(error);
    }
  };
  expect(await ask('api.anthropic.com')).toBe('shown');
  const flood = Array.from({ length: 40 }, (_, i) => ask(`flood-${i}.anthropic.com`));
  const times: number[] = [];
  for (let i = 0; i < 10; i += 1) {
    const started = performance.now();
    expect(await ask('api.anthropic.com')).toBe('shown');
    times.push(performance.now() - started);
  }
  expect(times.toSorted((a, b) => a - b)[5]).toBeLessThan(150);
  const ends = await Promise.all(flood);
  expect(ends.filter((end) => end === 'shown').length).toBeGreaterThanOrEqual(10);
  expect(ends.filter((end) => end !== 'shown').length).toBeGreaterThan(0);
  expect(await metric('sallyport_leaf_certificates_minted_total')).toBeLessThan(41);
});

test.skipIf(process.platform !== 'linux')(
  'with file descriptors run short each is served, answered 503 or closed, and all comes back',
  async () => {
    const origin = await tcpOrigin((socket) => void socket.on('data', (chunk: Buffer) => socket.write(chunk)));
    const product = await serve();
    execFileSync('prlimit', ['--pid', String(product.pid), '--nofile=150:150']);
    const tunnel = connectHead(`127.0.0.1:${origin.port}`);
    const clients: RawClient[] = [];
    for (let i = 0; i < 300; i += 1) clients.push(await connectRaw(product.proxyPort, tunnel));
    const settled = await Promise.all(
      clients.map((client) =>
        Promise.race([
          client.until('\r\n\r\n').then((text) => text.slice(9, 12)),
          client.ended.then(({ text }) => (text === '' ? 'closed' : text.slice(9, 12))),
        ]).catch(() => 'closed'),
      ),
    );
    expect(settled.filter((end) => !['200', '503', 'closed'].includes(end))).toEqual([]);
    expect(settled.filter((end) => end === '200').length).toBeGreaterThan(10);
    for (const { socket } of clients) socket.resetAndDestroy();
    await expect
      .poll(() => exchange(product.proxyPort, refused), { timeout: 5_000 })
      .toContain('Refused at the CONNECT');
  },
);
