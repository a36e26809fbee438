/**
 * What floods cost those who do nothing wrong: thousands of clients that say nothing, speak too slowly, leave while
 * they are served or ask for a certificate each, and meanwhile a bystander in a process of its own. Exits with 1 where
 * its p99 is more than 50 ms above what it is at rest, where a request of its fails, and where anything of a flood is
 * still open after its deadline. Limits and deadlines are those that the product has by default. Needs Linux.
 *
 * Usage: npm run flood -- [--connections 5000] [--rate 1000] [--workers N] [--only NAME]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { availableParallelism, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { parseArgs } from 'node:util';
import { fileURLToPath, URL } from 'node:url';
import { cpuOf, descriptorsOf, family } from './processes.mjs';
import { sallyport, startOrigin } from './rivals.mjs';
import { traffic } from './traffic.mjs';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '5000' },
    rate: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const COUNT = Number(values.connections);
const RATE = Number(values.rate);
const SLOW_HELLOS = 200;
/** Milliseconds between two lines of a slow head, and the groups in which the clients send theirs by turns. */
const [DRIP, TURNS] = [2_000, 100];
/** Milliseconds, as in config/sallyport.yaml. */
const [HEAD_TIMEOUT, HELLO_TIMEOUT, CONNECT_TIMEOUT] = [15_000, 10_000, 10_000];
/** Deadlines are looked at ten times a second; the rest is for the machine. */
const GRACE = 1_500;
const REST = 8_000;
const MINTING = 8_000;
const LEAVES = 200;
/** Milliseconds above what it is at rest. */
const MOST = 50;

/** @typedef {{ asked: number, failed: number, p50: number, p99: number }} Seen by the bystander */

const dir = mkdtempSync(join(tmpdir(), 'sallyport-flood-'));
/** @type {import('node:child_process').ChildProcess[]} */
const running = [];
/** @type {string[]} */
const wrong = [];
/** @type {Set<import('node:net').Socket>} */
const open = new Set();

/** @param {number} port @param {string} [bytes] */
function client(port, bytes = '') {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  open.add(socket);
  socket.on('error', () => undefined).once('close', () => open.delete(socket));
  socket.resume();
  if (bytes !== '') socket.write(bytes);
  return socket;
}

/**
 * As many a second as are asked for: the queue of a listening socket is not endless.
 *
 * @param {number} count
 * @param {() => unknown} act
 */
async function many(count, act) {
  const started = performance.now();
  for (let i = 0; i < count; i += 1) {
    while ((performance.now() - started) * RATE < i * 1_000) await sleep(5);
    act();
  }
}

/** @param {() => boolean} isSo @param {number} time milliseconds */
async function within(isSo, time) {
  const until = performance.now() + time;
  while (!isSo() && performance.now() < until) await sleep(50);
  return isSo();
}

/** The first bytes that a TLS client says for this name. @param {string} servername @returns {Promise<Buffer>} */
function helloOf(servername) {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .once('data', (bytes) => {
          socket.destroy();
          server.close();
          resolve(bytes);
        });
    }).listen(0, '127.0.0.1', () => {
      const bound = server.address();
      const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
      connectTls({ port, host: '127.0.0.1', servername }).on('error', () => undefined);
    });
  });
}

/** A port of this machine where nobody takes what comes in: its queue is full, and the kernel answers no more. */
async function deafPort() {
  const script = `const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.stdout.write(s.address().port + '\\n', () => process.kill(process.pid, 'SIGSTOP')); });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  /** @type {string} */
  const line = await new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  for (let i = 0; i < 4; i += 1) client(Number(line));
  await sleep(500);
  return Number(line);
}

/** @param {number} proxyPort @param {number} originPort */
function startBystander(proxyPort, originPort) {
  const here = fileURLToPath(new URL('bystander.mjs', import.meta.url));
  const child = spawn(process.execPath, [here, String(proxyPort), String(originPort)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  running.push(child);
  const lines = createInterface({ input: child.stdout });
  /** @returns {Promise<Seen>} what it saw since the last time */
  return () =>
    new Promise((resolve) => {
      lines.once('line', (line) => {
        /** @type {unknown} */
        const seen = JSON.parse(line);
        resolve(/** @type {Seen} */ (seen));
      });
      child.stdin.write('\n');
    });
}

/** Seconds that a process and its children were ready to run, and others had the processor. @param {number} pid */
function waitOf(pid) {
  const waits = family(pid).map((one) => Number(readFileSync(`/proc/${one}/schedstat`, 'latin1').split(' ')[1]));
  return waits.reduce((sum, wait) => sum + wait, 0) / 1e9;
}

/** @param {readonly (string | number)[]} cells */
function print(cells) {
  const [name = '', ...rest] = cells.map(String);
  process.stdout.write(`${name.padEnd(34)}${rest.map((cell) => cell.padStart(10)).join('')}\n`);
}

/**
 * Each starts its flood; the number is how long, in milliseconds, its last connection may be open from now on.
 * @param {number} port of the proxy
 * @param {number} origin
 * @returns {Record<string, () => Promise<number>>}
 */
function floods(port, origin) {
  const send = `GET http://localhost:${origin}/small HTTP/1.1\r\nHost: localhost:${origin}\r\n`;
  /** A field line each {@link DRIP}, in so many turns. @param {number} turns */
  const slowly = async (turns) => {
    /** @type {import('node:net').Socket[]} */
    const slow = [];
    await many(COUNT, () => slow.push(client(port, send)));
    let turn = 0;
    const drip = setInterval(() => {
      for (let i = turn; i < slow.length; i += turns) slow[i]?.write('X: 1\r\n');
      turn = (turn + 1) % turns;
    }, DRIP / turns);
    void sleep(HEAD_TIMEOUT + GRACE).then(() => clearInterval(drip));
    return HEAD_TIMEOUT;
  };
  return {
    silent: async () => {
      await many(COUNT, () => client(port));
      return HEAD_TIMEOUT;
    },
    'slow heads': () => slowly(TURNS),
    'slow heads, all in one moment': () => slowly(1),
    'abandoned dials': async () => {
      const target = `localhost:${await deafPort()}`;
      /** @type {import('node:net').Socket[]} */
      const dials = [];
      await many(COUNT, () => dials.push(client(port, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)));
      await sleep(1_000);
      await many(COUNT, () => dials.pop()?.destroy());
      for (const socket of open) socket.destroy();
      return CONNECT_TIMEOUT;
    },
    'hellos byte by byte': async () => {
      const hello = await helloOf('api.blocked.test');
      const slow = Array.from({ length: SLOW_HELLOS }, () => ({
        socket: client(port, 'CONNECT api.blocked.test:443 HTTP/1.1\r\nHost: api.blocked.test:443\r\n\r\n'),
        at: 0,
      }));
      // The last byte would come long after the deadline.
      const drip = setInterval(() => {
        for (const one of slow) if (one.socket.writable) one.socket.write(hello.subarray(one.at, (one.at += 1)));
      }, 50);
      void sleep(HELLO_TIMEOUT + GRACE).then(() => clearInterval(drip));
      return HELLO_TIMEOUT;
    },
    'certificates, a new name each': async () => {
      const { modes } = traffic(port, origin);
      const until = performance.now() + MINTING;
      const ask = async () => {
        while (performance.now() < until) await modes.blockcold().catch(() => sleep(10));
      };
      await Promise.all(Array.from({ length: 64 }, ask));
      return 0;
    },
  };
}

try {
  const origin = await startOrigin(dir, running);
  const proxy = await sallyport(dir, running, `workers: ${values.workers}\n`, { leaves: LEAVES });
  const bystander = startBystander(proxy.port, origin.port);
  await sleep(5_000);
  await bystander();
  await sleep(REST);
  const rest = await bystander();
  process.stdout.write(
    `Node ${process.version}, Linux ${release()}, ${cpus()[0]?.model ?? ''} x ${availableParallelism()}, workers: ${values.workers}\n`,
  );
  print(['', 'asked', 'failed', 'p50 ms', 'p99 ms', 'all gone', 'CPU', 'waits']);
  print(['at rest', rest.asked, rest.failed, rest.p50.toFixed(1), rest.p99.toFixed(1), '']);
  const chosen = Object.entries(floods(proxy.port, origin.port)).filter(([name]) => (values.only ?? name) === name);
  for (const [name, flood] of chosen) {
    await bystander();
    const before = descriptorsOf(proxy.pid).sockets;
    const [cpu, wait, began] = [cpuOf(proxy.pid), waitOf(proxy.pid), performance.now()];
    const time = await flood();
    const from = performance.now();
    // A few sockets are the bystander's.
    const gone = await within(() => open.size < 5 && descriptorsOf(proxy.pid).sockets <= before + 8, time + GRACE);
    const took = ((performance.now() - from) / 1_000).toFixed(1);
    const saw = await bystander();
    const part = (/** @type {number} */ seconds) => `${((seconds * 1e5) / (performance.now() - began)).toFixed(0)} %`;
    const share = [part(cpuOf(proxy.pid) - cpu), part(waitOf(proxy.pid) - wait)];
    print([
      name,
      saw.asked,
      saw.failed,
      saw.p50.toFixed(1),
      saw.p99.toFixed(1),
      gone ? `${took} s` : 'never',
      ...share,
    ]);
    if (!gone) {
      const left = descriptorsOf(proxy.pid).sockets - before;
      wrong.push(`${name}: after the deadline ${open.size} connections are open, and ${left} sockets of the proxy`);
    }
    if (saw.failed > 0) wrong.push(`${name}: ${saw.failed} requests of the bystander failed`);
    if (saw.p99 > rest.p99 + MOST)
      wrong.push(`${name}: p99 is ${(saw.p99 - rest.p99).toFixed(0)} ms above that at rest`);
    for (const socket of open) socket.destroy();
    await sleep(1_000);
  }
  process.stdout.write(wrong.length === 0 ? 'all is gone in time, and no bystander waits\n' : `${wrong.join('\n')}\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  for (const one of running) one.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}
