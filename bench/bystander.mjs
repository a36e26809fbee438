/**
 * One client that goes on working while others flood the proxy: a new tunnel with a small request every 20 ms. Prints
 * what it saw, as one line of JSON, when standard input says so by a line.
 *
 * Usage: node bystander.mjs PROXY-PORT ORIGIN-PORT
 */
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setInterval } from 'node:timers';
import { traffic } from './traffic.mjs';

const [proxy, origin] = process.argv.slice(2);
const { modes } = traffic(Number(proxy), Number(origin));
const EVERY = 20;

/** @type {number[]} */
let latencies = [];
let failed = 0;

async function ask() {
  const started = performance.now();
  const status = await modes.connect().catch(() => 'error');
  if (status !== '200') failed += 1;
  latencies.push(performance.now() - started);
}

// Whether or not the one before has ended: a proxy that stalls is asked no less often.
setInterval(() => void ask(), EVERY);

createInterface({ input: process.stdin })
  .on('line', () => {
    const sorted = latencies.sort((a, b) => a - b);
    const at = (/** @type {number} */ part) => sorted[Math.floor(sorted.length * part)] ?? NaN;
    process.stdout.write(`${JSON.stringify({ asked: sorted.length, failed, p50: at(0.5), p99: at(0.99) })}\n`);
    [latencies, failed] = [[], 0];
  })
  .on('close', () => process.exit());
