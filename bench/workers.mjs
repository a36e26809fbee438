/**
 * What a second worker adds. A small machine has no processor left for the load generator while two workers have one
 * each, so every process that serves is held to 15 % of one, by the kernel's `cpu` control group. Needs Linux and root.
 *
 * Usage: npm run bench:workers -- [--seconds 8] [--rounds 3]
 */
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { family } from './processes.mjs';
import { sallyport, startOrigin } from './rivals.mjs';
import { traffic } from './traffic.mjs';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '8' }, rounds: { type: 'string', default: '3' } },
});
const CLIENTS = 32;
const WARM_UP = 5_000;
/** Of a processor, in microseconds: short periods, so that nothing waits long for the next one. */
const [PERIOD, QUOTA] = [10_000, 1_500];

/** @type {string[]} */
const groups = [];

/** @param {number} pid */
function hold(pid) {
  const second = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const root = second ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu';
  if (second) writeFileSync(join(root, 'cgroup.subtree_control'), '+cpu');
  const group = join(root, `sallyport-bench-${pid}`);
  mkdirSync(group);
  groups.push(group);
  if (second) writeFileSync(join(group, 'cpu.max'), `${QUOTA} ${PERIOD}`);
  else {
    writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD));
    writeFileSync(join(group, 'cpu.cfs_quota_us'), String(QUOTA));
  }
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
}

/** Tunnels a second. @param {ReturnType<typeof traffic>} through @param {number} time milliseconds */
async function rate(through, time) {
  let served = 0;
  const started = performance.now();
  const client = async () => {
    while (performance.now() < started + time) {
      const status = await through.modes.connect();
      if (status !== '200') throw new Error(`the proxy answers ${status}`);
      served += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return (served * 1_000) / (performance.now() - started);
}

/** @param {number} workers */
async function measured(workers) {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-workers-'));
  /** @type {import('node:child_process').ChildProcess[]} */
  const running = [];
  try {
    const origin = await startOrigin(dir, running);
    const proxy = await sallyport(dir, running, `workers: ${workers}\n`);
    const through = traffic(proxy.port, origin.port);
    await rate(through, WARM_UP);
    const all = family(proxy.pid);
    const serving = all.length > 1 ? all.slice(1) : all;
    if (serving.length !== workers) throw new Error(`${serving.length} processes serve, and not ${workers}`);
    serving.forEach(hold);
    return await rate(through, Number(values.seconds) * 1_000);
  } finally {
    for (const one of running) one.kill('SIGTERM');
    await sleep(1_500);
    for (const one of running) one.kill('SIGKILL');
    await sleep(200);
    for (const group of groups.splice(0)) rmdirSync(group);
    rmSync(dir, { recursive: true, force: true });
  }
}

for (let round = 0; round < Number(values.rounds); round += 1) {
  const one = await measured(1);
  const two = await measured(2);
  process.stdout.write(
    `one worker ${one.toFixed(0)} tunnels a second, two ${two.toFixed(0)}: ${(two / one).toFixed(2)} times as many\n`,
  );
}
