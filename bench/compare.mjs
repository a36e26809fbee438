/**
 * Sallyport beside other proxies: processor time for each request, in the same minute on the same machine.
 *
 * Usage: npm run bench -- [--only connect,http,...] [--rounds 3] [--seconds 4] [--tunnels 2000,10000]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, URL } from 'node:url';
import { parseArgs } from 'node:util';
import { cpuOf, firstLine, memoryOf } from './processes.mjs';
import { installed, startOrigin, startRivals } from './rivals.mjs';

/** @typedef {import('./rivals.mjs').Rival} Rival */

const workloads = {
  connect: { concurrency: 16, what: 'new tunnel, one small request' },
  message: { concurrency: 16, what: 'a request and 8 KiB back on an open tunnel' },
  http: { concurrency: 16, what: 'plain HTTP, kept alive' },
  refuse: { concurrency: 16, what: 'CONNECT refused' },
  blocktls: { concurrency: 16, what: 'answered inside TLS, one host' },
  blockcold: { concurrency: 8, what: 'answered inside TLS, a new host each time' },
  bulk: { concurrency: 4, what: 'download through a tunnel' },
  upload: { concurrency: 4, what: 'upload through a tunnel' },
  httpbulk: { concurrency: 4, what: 'download over plain HTTP' },
  httpupload: { concurrency: 4, what: 'upload over plain HTTP' },
};

/** Measured by the byte. */
const masses = ['bulk', 'upload', 'httpbulk', 'httpupload'];

const usage =
  'Usage: npm run bench -- [--only connect,http,...] [--rounds 3] [--seconds 4] [--tunnels 2000,10000]\n' +
  `What can be measured: idle, ${Object.keys(workloads).join(', ')}`;

/**
 * Prints how it is used and ends, well where that was asked for.
 * @param {string | null} fault
 * @returns {never}
 */
function end(fault) {
  process.stderr.write(fault === null ? `${usage}\n` : `bench: ${fault}\n${usage}\n`);
  process.exit(fault === null ? 0 : 2);
}

const options = /** @type {const} */ ({
  help: { type: 'boolean', short: 'h' },
  only: { type: 'string', default: ['idle', ...Object.keys(workloads)].join(',') },
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string', default: '4' },
  tunnels: { type: 'string', default: '2000,10000' },
});

function given() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return end(error instanceof Error ? error.message : String(error));
  }
}

const values = given();
if (values.help === true) end(null);

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/** @param {readonly number[]} figures */
function median(figures) {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
}

/**
 * @typedef {object} Seen
 * @property {Record<string, number>} codes
 * @property {number} good
 * @property {number} bytes
 * @property {number} p50
 * @property {number} p99
 */

/** @param {readonly string[]} args */
function generator(args) {
  const command = [process.execPath, here('load.mjs'), ...args];
  const pinned = installed('taskset')
    ? ['taskset', '-c', String(Math.min(1, availableParallelism() - 1)), ...command]
    : command;
  const child = spawn(pinned[0] ?? '', pinned.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  const seen = firstLine(child.stdout).then((text) => {
    /** @type {unknown} */
    const saw = JSON.parse(text);
    return /** @type {Seen} */ (saw);
  });
  return { child, seen };
}

/**
 * Microseconds of processor time for a request, or milliseconds for a GiB.
 * @param {keyof typeof workloads} name
 * @param {Rival} rival
 * @param {number} origin
 */
async function measure(name, rival, origin) {
  const port = name.startsWith('block') ? rival.bumpPort : rival.port;
  const before = cpuOf(rival.pid);
  const { seen } = generator([name, `${port}`, `${origin}`, values.seconds, `${workloads[name].concurrency}`]);
  const saw = await seen;
  const used = cpuOf(rival.pid) - before;
  const figure = masses.includes(name) ? (used * 1e3) / (saw.bytes / 2 ** 30) : (used * 1e6) / saw.good;
  return { ...saw, figure, rate: saw.good / Number(values.seconds) };
}

/** @param {readonly (string | number)[]} cells */
function print(cells) {
  const widths = [11, 10, 12, 8, 10, 9, 9];
  process.stdout.write(
    `${cells
      .map((cell, i) => String(cell).padEnd(widths[i] ?? 0))
      .join(' ')
      .trimEnd()}\n`,
  );
}

/**
 * @param {keyof typeof workloads} name
 * @param {readonly Rival[]} rivals
 * @param {number} origin
 */
async function compare(name, rivals, origin) {
  const able = rivals.filter(({ modes }) => modes.includes(name));
  /** @type {Map<string, Awaited<ReturnType<typeof measure>>[]>} */
  const runs = new Map(able.map((rival) => [rival.name, []]));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const rival of able) runs.get(rival.name)?.push(await measure(name, rival, origin));
  }
  const of = (/** @type {string} */ rival) => median((runs.get(rival) ?? []).map(({ figure }) => figure));
  for (const { name: rival } of able) {
    const all = runs.get(rival) ?? [];
    const middle = (/** @type {'p50' | 'p99' | 'rate'} */ key) => median(all.map((run) => run[key]));
    const codes = [...new Set(all.flatMap((run) => Object.keys(run.codes)))].join(' ');
    const unit = masses.includes(name) ? 'ms/GiB' : 'us';
    const ratio = (of('sallyport') / of(rival)).toFixed(2);
    const times = [middle('p50').toFixed(2), middle('p99').toFixed(2)];
    print([name, rival, `${of(rival).toFixed(0)} ${unit}`, ratio, middle('rate').toFixed(0), ...times, codes]);
  }
}

/**
 * What open tunnels without traffic cost, in KiB each; of Sallyport after its garbage was collected.
 * @param {Rival} rival
 * @param {number} origin
 * @param {number} tunnels
 */
async function idle(rival, origin, tunnels) {
  const settle = async () => {
    if (rival.name === 'sallyport') process.kill(rival.pid, 'SIGUSR2');
    await sleep(3_000);
    return memoryOf(rival.pid);
  };
  const before = await settle();
  const { child, seen } = generator(['idle', `${rival.port}`, `${origin}`, '0', `${tunnels}`]);
  const { codes } = await seen;
  const during = await settle();
  child.stdin.end();
  await new Promise((resolve) => child.once('exit', resolve));
  await sleep(2_000);
  const each = (during - before) / tunnels;
  print(['idle', rival.name, `${each.toFixed(1)} KiB`, '', `${tunnels} held`, '', '', Object.keys(codes).join(' ')]);
}

const dir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
/** @type {import('node:child_process').ChildProcess[]} */
const running = [];
try {
  const { port: origin } = await startOrigin(dir, running);
  const rivals = await startRivals(dir, running, origin);
  process.stdout.write(
    `Node ${process.version}, Linux ${release()}, ${cpus()[0]?.model ?? ''} x ${availableParallelism()}\n`,
  );
  print(['workload', 'proxy', 'CPU', 'ours/it', 'per second', 'p50 ms', 'p99 ms', 'status']);
  for (const name of values.only.split(',')) {
    if (name in workloads) await compare(/** @type {keyof typeof workloads} */ (name), rivals, origin);
    else if (name === 'idle') {
      for (const tunnels of values.tunnels.split(',')) {
        for (const rival of rivals.filter(({ modes }) => modes.includes(name))) {
          if (rival.name === 'sallyport' || tunnels === '2000') await idle(rival, origin, Number(tunnels));
        }
      }
    } else throw new Error(`there is no workload "${name}"; there are ${Object.keys(workloads).join(', ')}, idle`);
  }
} finally {
  for (const one of running) one.kill('SIGTERM');
  await sleep(1_500);
  for (const one of running) one.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}
