/**
 * How long the catalogue takes: to load in a fresh process, again in the same one, and to look a host up. Prints the
 * figures and ends with 1 where one is above its limit.
 *
 * Usage: npm run bench:catalogue
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const LOAD_LIMIT_MS = 150;
const LOOKUP_LIMIT_NS = 1000;
const RUNS = 5;

/**
 * @typedef {object} Build
 * @property {typeof import('../src/config/vendors.ts').readCatalogue} readCatalogue
 * @property {typeof import('../src/config/vendor-schema.ts').toVendor} toVendor
 * @property {typeof import('../src/decide/match.ts').indexHosts} indexHosts
 * @property {typeof import('../src/identify/services.ts').indexServices} indexServices
 * @property {typeof import('../src/listen/target.ts').parseHost} parseHost
 */
async function build() {
  const modules = ['config/vendors', 'config/vendor-schema', 'decide/match', 'identify/services', 'listen/target'];
  /** @type {unknown[]} */
  const loaded = await Promise.all(modules.map((name) => import(new URL(`../dist/${name}.js`, import.meta.url).href)));
  /** @type {unknown} */
  const all = Object.assign({}, ...loaded);
  return /** @type {Build} */ (all);
}

const folder = fileURLToPath(new URL('../config/vendors', import.meta.url));
const settings = { vendors: folder, key: null, overlay: null };

/**
 * From the files to what a host is looked up in.
 * @param {Build} built
 */
function load({ readCatalogue, toVendor, indexServices, indexHosts }) {
  const started = performance.now();
  const { vendors } = readCatalogue(settings);
  const find = indexServices(vendors.map(toVendor), indexHosts);
  return { took: performance.now() - started, find, vendors: vendors.length };
}

/** @param {readonly number[]} figures */
function median(figures) {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
}

/** In a process of its own: nothing is compiled and nothing remembered. */
function coldLoad() {
  const { stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--once'], {
    encoding: 'utf8',
  });
  const took = Number(stdout);
  if (stdout === '' || Number.isNaN(took)) throw new Error(stderr);
  return took;
}

/** Nanoseconds for one lookup, over the hosts and the strangers of the tests. */
async function lookup() {
  const built = await build();
  const { find } = load(built);
  const lines = ['hosts', 'forms', 'negatives'].flatMap((name) =>
    readFileSync(new URL(`../test/fixtures/catalogue-${name}.txt`, import.meta.url), 'utf8').split('\n'),
  );
  const hosts = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => built.parseHost(line.split(' ')[0] ?? '').host);
  const rounds = 200;
  const figures = Array.from({ length: RUNS }, () => {
    const started = process.hrtime.bigint();
    let found = 0;
    for (let round = 0; round < rounds; round++) {
      for (const host of hosts) if (find(host) !== null) found += 1;
    }
    if (found === 0) throw new Error('no host was found');
    return Number(process.hrtime.bigint() - started) / (rounds * hosts.length);
  });
  return { nanoseconds: median(figures), hosts: hosts.length };
}

if (process.argv.includes('--once')) {
  process.stdout.write(`${load(await build()).took}`);
} else {
  const cold = median(Array.from({ length: RUNS }, coldLoad));
  const built = await build();
  const { vendors } = load(built);
  const again = median(Array.from({ length: RUNS }, () => load(built).took));
  const { nanoseconds, hosts } = await lookup();
  const fits = cold < LOAD_LIMIT_MS && nanoseconds < LOOKUP_LIMIT_NS;
  process.stdout.write(
    `load, fresh process  ${cold.toFixed(1)} ms for ${vendors} vendors (limit ${LOAD_LIMIT_MS} ms)\n` +
      `load, again          ${again.toFixed(1)} ms\n` +
      `lookup               ${nanoseconds.toFixed(0)} ns on average over ${hosts} hosts (limit ${LOOKUP_LIMIT_NS} ns)\n`,
  );
  process.exitCode = fits ? 0 : 1;
}
