/**
 * Resources: silence, floods and leaks. Sizes are those of a shared machine; `FLOOD=10` makes them ten times as large.
 */
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { createAccessLog } from '../../src/record/access-log.ts';
import { serveInspected } from '../support/heap.ts';
import { repository } from '../support/lab.ts';
import { connectRaw, eventually } from '../support/streams.ts';
import { connectHead, openTunnel } from '../support/tunnels.ts';
import { attack, get, openField, statusOf, type Field } from './field.ts';

const FLOOD = Number(process.env['FLOOD'] ?? 1);

const field = openField({
  settings: {
    limits: { head_timeout: '2s', connections: 5_000 * Math.max(1, FLOOD) },
    // Long enough for the last of them to open before the first is ended.
    tunnels: { idle_timeout: `${2 * Math.max(1, FLOOD)}s`, hello_timeout: '2s' },
  },
});
const narrow = openField({ settings: { limits: { connections: 20 } } });

function open(port: number, bytes = ''): Socket {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined).resume();
  if (bytes !== '') socket.write(bytes);
  return socket;
}

function bystander(here: Field): Promise<number> {
  return here.status(get(`http://${here.at('ok.test')}/`, undefined, 'Connection: close\r\n'));
}

attack(
  field,
  98,
  'Silent connections, such with one byte, such that send a field line now and then: 600 in all',
  'gone at the absolute deadline, however they dribble; bystanders are served meanwhile',
  async (here) => {
    const { proxyPort } = here.lab;
    const each = 200 * FLOOD;
    const slow = Array.from({ length: each }, () =>
      open(proxyPort, `GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n`),
    );
    const all = [
      ...Array.from({ length: each }, () => open(proxyPort)),
      ...Array.from({ length: each }, () => open(proxyPort, 'G')),
      ...slow,
    ];
    const drip = setInterval(() => slow.forEach((socket) => void socket.write('X-Slow: 1\r\n')), 300);
    onTestFinished(() => clearInterval(drip));
    expect(await bystander(here)).toBe(200);
    await eventually('every one of them is gone', () => all.every((socket) => socket.closed), 15_000);
  },
);

attack(
  field,
  99,
  'A body that comes a byte now and then, and an answer that is never read',
  'ended by the idle limit; the connection to the origin is let go',
  async (here) => {
    here.far.answerWith((_req, res) => {
      const more = (): void => {
        while (!res.destroyed && res.write(Buffer.alloc(1 << 18)));
        res.once('drain', more);
      };
      more();
    });
    const client = await connectRaw(here.lab.proxyPort, get(`http://${here.at('ok.test')}/`));
    await client.until('HTTP/1.1 200');
    client.socket.pause();
    await eventually('the tunnel is gone', () => here.far.open.size === 0, 20_000 * Math.max(1, FLOOD));
  },
  60_000 * Math.max(1, FLOOD),
);

attack(
  field,
  100,
  'Idle tunnels: 300 at once',
  'each is ended by the idle limit, with every descriptor back; new ones open meanwhile',
  async (here) => {
    here.far.speakRaw((socket) => void socket.on('end', () => socket.end()).resume());
    const tunnels = await Promise.all(
      Array.from({ length: 300 * FLOOD }, () => openTunnel(here.lab.proxyPort, here.at('ok.test'))),
    );
    for (const socket of tunnels) socket.resume();
    expect(await here.lab.metric('sallyport_tunnels_open')).toBe(300 * FLOOD);
    (await openTunnel(here.lab.proxyPort, here.at('ok.test'))).destroy();
    await eventually(
      'no tunnel is left',
      () => tunnels.every((socket) => socket.readableEnded || socket.destroyed),
      20_000 * Math.max(1, FLOOD),
    );
  },
  60_000 * Math.max(1, FLOOD),
);

attack(
  field,
  101,
  'A process with 300 descriptors, and 600 tunnels',
  'the surplus gets 503 or a close within seconds, nothing hangs, and all is well afterwards',
  async (here) => {
    const child = spawn(
      'prlimit',
      ['--nofile=300', process.execPath, join(repository, 'dist/main.js'), 'serve', '-c', here.lab.file],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await eventually('the proxy listens', () => /proxy {2}http:\/\/\S+:\d+/.test(text), 20_000);
    const port = Number(/proxy {2}http:\/\/[\d.]+:(\d+)/.exec(text)?.[1]);
    here.far.speakRaw((socket) => void socket.on('end', () => socket.end()).resume());
    const clients = Array.from({ length: 600 }, () => {
      const socket = connect({ port, host: '127.0.0.1' });
      onTestFinished(() => void socket.destroy());
      const client = { answered: false, socket };
      socket.on('error', () => (client.answered = true)).on('close', () => (client.answered = true));
      socket.on('data', () => (client.answered = true));
      socket.write(connectHead(here.at('ok.test')));
      return client;
    });
    await eventually('everybody has an answer or an end', () => clients.every(({ answered }) => answered), 15_000);
    for (const { socket } of clients) socket.destroy();
    const again = async (): Promise<number> => {
      const client = await connectRaw(port, connectHead('refused.test:443'));
      return statusOf(
        await Promise.race([client.ended.then(({ text: all }) => all), client.until(/\r\n\r\n/)]).catch(() => ''),
      );
    };
    const until = performance.now() + 10_000;
    let status = 0;
    while (status !== 403 && performance.now() < until) status = await again();
    expect(status).toBe(403);
    expect(child.exitCode).toBe(null);
  },
  60_000,
);

attack(
  narrow,
  102,
  'More connections than the limit allows',
  '503 with its reason for those beyond it, and room again as soon as others leave',
  async (here) => {
    const holders = Array.from({ length: 20 }, () => open(here.lab.proxyPort, 'CONNECT ok'));
    await eventually('all are in', () => holders.every((socket) => !socket.connecting));
    await expect.poll(() => here.lab.metric('sallyport_connections_open')).toBe(20);
    const answer = await here.send(connectHead('refused.test:443'));
    expect(statusOf(answer)).toBe(503);
    expect(answer).toMatch(/^X-Proxy-Error: connection_limit/im);
    for (const socket of holders) socket.destroy();
    await expect.poll(() => here.status(connectHead('refused.test:443'))).toBe(403);
  },
);

attack(
  field,
  103,
  '3,000 connections that close at once, and 500 simultaneous CONNECTs',
  'no leak; all that wait are served',
  async (here) => {
    for (let round = 0; round < 10 * FLOOD; round += 1) {
      await Promise.all(
        Array.from({ length: 300 }, async () => {
          const socket = connect({ port: here.lab.proxyPort, host: '127.0.0.1' });
          await new Promise<void>((resolve) => socket.on('error', () => resolve()).on('connect', () => resolve()));
          socket.destroy();
        }),
      );
    }
    const statuses = await Promise.all(Array.from({ length: 500 }, () => here.status(connectHead('refused.test:443'))));
    expect(new Set(statuses)).toEqual(new Set([403]));
  },
  60_000,
);

/** All that comes back until the connection ends; nothing of it is kept by this process. */
function askOnce(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined).once('close', () => resolve());
    socket.resume().write(bytes);
  });
}

attack(
  field,
  106,
  'Thousands of mixed requests to the product as a process of its own',
  'what its heap holds stays within 3 MiB of what it was after the first 3,000; no socket is left',
  async (here) => {
    const policy = `
rules:
  - { id: no, domains: deny.test, effect: deny, reason: No. }
  - { id: refused, domains: refused.test, effect: deny, manner: refuse, reason: No. }
defaults: { unlisted: allow, catalogue: monitor, raw_address: deny }
`;
    const { product, heap } = await serveInspected({ policy, settings: { access_log: { path: 'none' } } });
    const kinds = [
      get(`http://${here.at('ok.test')}/`, undefined, 'Connection: close\r\n'),
      get(`http://${here.at('deny.test')}/`),
      connectHead('refused.test:443'),
      'BROKEN\r\n\r\n',
    ];
    const run = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i += 100)
        await Promise.all(
          Array.from({ length: 100 }, (_, k) => askOnce(product.proxyPort, kinds[k % kinds.length] ?? '')),
        );
      while ((await product.metric('sallyport_connections_open')) > 0);
      return heap();
    };
    const before = await run(3_000);
    const after = await run(5_000 * FLOOD);
    expect(after - before).toBeLessThan(3 << 20);
  },
  120_000,
);

attack(
  field,
  110,
  'A full disk below the access log, and a reader of standard output that is gone',
  'traffic goes on; lost lines are counted; EPIPE ends nothing',
  async (here) => {
    const faults: string[] = [];
    const log = createAccessLog({
      path: '/dev/full',
      format: 'ecs',
      stdout: process.stdout,
      onFault: (error) => void faults.push(error.message),
    });
    log.rejected({
      id: 'a'.repeat(24),
      at: Date.now(),
      clientAddress: '127.0.0.1',
      clientPort: 1,
      code: 'malformed_request',
      detail: 'a line for a full disk',
    });
    await eventually('the fault is told', () => faults.length > 0);
    expect(faults[0]).toContain('ENOSPC');
    expect(log.lost).toBeGreaterThan(0);
    await log.close();
    const child = spawn(process.execPath, [join(repository, 'dist/main.js'), 'serve', '-c', here.lab.file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.resume();
    await eventually('the proxy listens', () => /proxy {2}http:\/\/\S+:\d+/.test(text), 20_000);
    const port = Number(/proxy {2}http:\/\/[\d.]+:(\d+)/.exec(text)?.[1]);
    child.stdout.destroy();
    for (let i = 0; i < 20; i += 1) {
      const client = await connectRaw(port, connectHead('refused.test:443'));
      expect(statusOf((await client.ended).text)).toBe(403);
    }
    expect(child.exitCode).toBe(null);
  },
);

attack(
  field,
  104,
  'Everything at once: half requests, resets, hellos without end, upgrades that nobody reads',
  'each ends its own connection only; no exception is uncaught',
  async (here) => {
    const kinds = [
      'GET http',
      `${connectHead(here.at('deny.test'))}\u0016\u0003\u0001`,
      connectHead(here.at('ok.test')),
      get(`http://${here.at('deny.test')}/`, undefined, 'Connection: Upgrade\r\nUpgrade: websocket\r\n'),
      get(`http://${here.at('ok.test')}/`, undefined, 'Content-Length: 100\r\n'),
    ];
    const sockets = Array.from({ length: 300 }, (_, i) => open(here.lab.proxyPort, kinds[i % kinds.length]));
    await eventually('all are in', () => sockets.every((socket) => !socket.connecting));
    sockets.forEach((socket, i) => {
      if (i % 3 === 0) socket.resetAndDestroy();
      else if (i % 3 === 1) socket.end();
      else socket.destroy();
    });
    expect(await bystander(here)).toBe(200);
    expect(await here.lab.metric('sallyport_uncaught_exceptions_total')).toBe(0);
  },
);
