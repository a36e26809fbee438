/**
 * The load generator of the benchmarks: drives one proxy with one workload for some seconds, and prints what it saw as
 * one line of JSON.
 *
 * Usage: node load.mjs MODE PROXY-PORT ORIGIN-PORT SECONDS CONCURRENCY
 */
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { traffic } from './traffic.mjs';

const [mode = '', proxy, origin, seconds, concurrency] = process.argv.slice(2);
const { modes, kept, idle, bytes } = traffic(Number(proxy), Number(origin));
const until = performance.now() + Number(seconds) * 1000;

/** @type {number[]} */
const latencies = [];
/** @type {Record<string, number>} */
const codes = {};

/** @param {string} code */
function count(code) {
  codes[code] = (codes[code] ?? 0) + 1;
}

/** @param {() => Promise<string>} request */
async function timed(request) {
  const started = performance.now();
  count(await request());
  latencies.push(performance.now() - started);
}

async function client() {
  const open = kept[/** @type {keyof typeof kept} */ (mode)];
  const run = mode in kept ? undefined : modes[/** @type {keyof typeof modes} */ (mode)];
  while (performance.now() < until) {
    try {
      if (run !== undefined) await timed(run);
      else {
        const connection = await open();
        while (performance.now() < until) await timed(connection.request);
        connection.close();
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
    const some = await Promise.all(Array.from({ length: 100 }, idle));
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
  process.stdout.write(`${JSON.stringify({ codes, good, bytes: bytes(), p50: at(0.5), p99: at(0.99) })}\n`);
  process.exit();
}
