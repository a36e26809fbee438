/**
 * The load generator of the benchmarks: drives one proxy with one workload for some seconds, and prints what it saw as
 * one line of JSON. It speaks over bare sockets, because a client library would cost more than the proxies do.
 *
 * Usage: node load.mjs MODE PROXY-PORT ORIGIN-PORT SECONDS CONCURRENCY
 */
import { performance } from 'node:perf_hooks';
import { connect } from 'node:net';
import process from 'node:process';
import { connect as connectTls } from 'node:tls';

const [mode = '', proxy, origin, seconds, concurrency] = process.argv.slice(2);
const BULK = 256 * 1024 * 1024;
const port = Number(proxy);
const target = `localhost:${origin}`;
const until = performance.now() + Number(seconds) * 1000;
let serial = 0;

/** @type {number[]} */
const latencies = [];
/** @type {Record<string, number>} */
const codes = {};
let bytes = 0;

/** @param {string} code */
function count(code) {
  codes[code] = (codes[code] ?? 0) + 1;
}

/**
 * An HTTP answer, read up to the end of its body or, where it says no length, of the connection.
 * @param {import('node:stream').Duplex} socket
 * @param {boolean} headOnly as after a CONNECT
 * @returns {Promise<string>} the status
 */
function answer(socket, headOnly) {
  return new Promise((resolve, reject) => {
    let head = '';
    let left = -1;
    const finish = () => {
      socket.off('data', onData).off('end', onEnd).off('error', reject);
      resolve(head.slice(9, 12));
    };
    /** @param {Buffer} data */
    const onData = (data) => {
      let body = data.length;
      if (left < 0) {
        head += data.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return;
        body = head.length - end - 4;
        const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
        left = headOnly ? 0 : Number(length ?? Infinity);
      }
      left -= body;
      bytes += body;
      if (left <= 0) finish();
    };
    const onEnd = () => {
      if (left === Infinity) finish();
      else reject(new Error('unexpected end'));
    };
    socket.on('data', onData).on('end', onEnd).on('error', reject);
  });
}

/** @param {import('node:stream').Duplex} socket */
function opened(socket, event = 'connect') {
  return new Promise((resolve, reject) => socket.once(event, resolve).once('error', reject));
}

/** @param {string} authority */
async function tunnel(authority, headOnly = true) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await opened(socket);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  return { socket, status: await answer(socket, headOnly) };
}

/** @param {string} path */
async function through(path) {
  const { socket } = await tunnel(target);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
  const status = await answer(socket, false);
  socket.destroy();
  return status;
}

/** @param {string} host */
async function inside(host) {
  const { socket } = await tunnel(`${host}:443`);
  const tls = connectTls({ socket, servername: host, rejectUnauthorized: false });
  await opened(tls, 'secureConnect');
  tls.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n`);
  const status = await answer(tls, false);
  tls.destroy();
  return status;
}

/** @type {Record<string, () => Promise<string>>} */
const modes = {
  connect: () => through('/small'),
  bulk: () => through(`/bytes/${BULK}`),
  refuse: async () => {
    const { socket, status } = await tunnel('api.refused.test:443', false);
    socket.destroy();
    return status;
  },
  blocktls: () => inside('api.blocked.test'),
  blockcold: () => inside(`h${process.pid}x${(serial += 1)}.blocked.test`),
};

/** One kept-alive connection after the other. */
async function plain() {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await opened(socket);
  while (performance.now() < until) {
    const started = performance.now();
    socket.write(`GET http://${target}/small HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    count(await answer(socket, false));
    latencies.push(performance.now() - started);
  }
  socket.destroy();
}

async function client() {
  const run = modes[mode];
  while (performance.now() < until) {
    const started = performance.now();
    try {
      if (run === undefined) await plain();
      else {
        count(await run());
        latencies.push(performance.now() - started);
      }
    } catch (error) {
      count(error instanceof Error ? error.message : 'error');
    }
  }
}

/** Holds tunnels open until standard input ends. */
async function hold() {
  const sockets = [];
  for (let i = 0; i < Number(concurrency); i += 100) {
    const some = await Promise.all(Array.from({ length: 100 }, () => tunnel(target)));
    for (const { socket, status } of some) {
      count(status);
      sockets.push(socket);
    }
  }
  process.stdout.write(`${JSON.stringify({ codes })}\n`);
  await new Promise((resolve) => process.stdin.resume().once('end', resolve));
  for (const socket of sockets) socket.destroy();
}

if (mode === 'idle') await hold();
else {
  await Promise.all(Array.from({ length: Number(concurrency) }, client));
  latencies.sort((a, b) => a - b);
  const at = (/** @type {number} */ part) => latencies[Math.floor(latencies.length * part)] ?? NaN;
  const good = latencies.length;
  process.stdout.write(`${JSON.stringify({ codes, good, bytes, p50: at(0.5), p99: at(0.99) })}\n`);
  process.exit();
}
