/**
 * What a list of a million domains costs: the time of a decision against one by ten rules, and memory.
 *
 *   npm run bench:lists
 *
 * A decision is what a CONNECT takes until it is decided: who asks, for which service of the catalogue, and what the
 * policy says. Decisions are timed in turns: for hosts that nothing names, which is most of what a proxy sees; and for
 * hosts that are denied, by one of ten rules, or by the list. The quickest of the turns counts. Memory is what the
 * process holds after the list was read, and the collector has run, more than before.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, URL } from 'node:url';
/**
 * @typedef {object} Build
 * @property {typeof import('../src/config/load.ts').loadConfig} loadConfig
 * @property {typeof import('../src/config/read-list.ts').readList} readList
 * @property {typeof import('../src/decide/domain-set.ts').buildDomainSet} buildDomainSet
 * @property {typeof import('../src/gateway/snapshot.ts').snapshotOf} snapshotOf
 */
async function build() {
  const modules = ['config/load', 'config/read-list', 'decide/domain-set', 'gateway/snapshot'];
  /** @type {unknown[]} */
  const loaded = await Promise.all(modules.map((name) => import(new URL(`../dist/${name}.js`, import.meta.url).href)));
  /** @type {unknown} */
  const all = Object.assign({}, ...loaded);
  return /** @type {Build} */ (all);
}

const { buildDomainSet, loadConfig, readList, snapshotOf } = await build();

const DOMAINS = 1_000_000;
const DECISIONS = 100_000;
const TURNS = 30;
const MIB = 1024 * 1024;

/**
 * Names as lists have them.
 *
 * @param {number} i
 */
function nameOf(i) {
  const scattered = Math.imul(i, 2_654_435_761) >>> 0;
  const tld = ['com', 'net', 'org', 'io', 'co.uk', 'com.cn', 'ru', 'info'][scattered % 8];
  return i % 3 === 0 ? `${scattered.toString(36)}-ads.${tld}` : `t${i % 50}.${scattered.toString(36)}media.${tld}`;
}

/** The shipped configuration with these rules for its own. */
const shipped = loadConfig(fileURLToPath(new URL('../config/sallyport.yaml', import.meta.url)));

/** @param {import('../src/flow.ts').Rule[]} rules */
function configOf(rules) {
  return { ...shipped, policy: { ...shipped.policy, rules } };
}

/** @type {import('../src/flow.ts').Rule[]} */
const tenRules = Array.from({ length: 10 }, (_, i) => ({
  id: `rule-${i}`,
  what: { domains: [`example-${i}.com`, `example-${i}.net`] },
  effect: 'deny',
  reason: 'Denied.',
}));
/** @type {import('../src/flow.ts').Rule} */
const listRule = { id: 'listed', what: { lists: ['million'] }, effect: 'deny', reason: 'Listed.' };

/** @typedef {import('../src/flow.ts').TunnelArrival} Arrival */

/** @param {string} host */
function arrivalFor(host) {
  /** @type {unknown} */
  const arrival = {
    kind: 'tunnel',
    id: '0',
    clientAddress: '10.0.0.1',
    target: { host, kind: 'name', port: 443 },
    userAgent: '',
  };
  return /** @type {Arrival} */ (arrival);
}

/**
 * Nanoseconds for one decision.
 *
 * @param {import('../src/lifecycle.ts').Snapshot} snapshot
 * @param {readonly Arrival[]} arrivals
 */
function time(snapshot, arrivals) {
  const now = Date.now();
  const begun = process.hrtime.bigint();
  for (let i = 0; i < DECISIONS; i++) {
    const arrival = arrivals[i % arrivals.length];
    if (arrival !== undefined) snapshot.decide(snapshot.identify.connect(arrival).question, now);
  }
  return Number(process.hrtime.bigint() - begun) / DECISIONS;
}

/**
 * The quickest turn: others on the machine only make it slower.
 *
 * @param {number[]} values
 */
function best(values) {
  return Math.min(...values);
}

async function settled() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await setTimeout(50);
  }
  return process.memoryUsage().rss;
}

const dir = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
try {
  const file = join(dir, 'list.txt');
  /** @type {string[]} */
  const parts = [];
  for (let i = 0; i < DOMAINS; i += 10_000) {
    parts.push(Array.from({ length: 10_000 }, (_, k) => nameOf(i + k)).join('\n'));
  }
  writeFileSync(file, parts.join('\n'));
  parts.length = 0;

  const before = await settled();
  let worst = 0;
  let last = performance.now();
  const ticking = setInterval(() => {
    worst = Math.max(worst, performance.now() - last - 1);
    last = performance.now();
  }, 1);
  const begun = performance.now();
  const { set } = await readList(file, 'auto', 64 * MIB, buildDomainSet(Math.floor(Math.random() * 2 ** 32)));
  const took = performance.now() - begun;
  clearInterval(ticking);
  const after = await settled();

  const refusesLeaf = () => false;
  const ten = snapshotOf(configOf(tenRules), refusesLeaf);
  const million = snapshotOf(configOf([...tenRules, listRule]), refusesLeaf, new Map([['million', set]]));
  const listed = Array.from({ length: 5_000 }, (_, i) => arrivalFor(nameOf((i * 104_729) % DOMAINS)));
  const every = Array.from({ length: DECISIONS }, (_, i) => arrivalFor(nameOf((i * 104_729) % DOMAINS)));
  const free = Array.from({ length: 5_000 }, (_, i) => arrivalFor(`www.site-${(i * 7_919) % 100_003}.com`));
  const byRule = Array.from({ length: 5_000 }, (_, i) => arrivalFor(`t${i}.example-${i % 10}.com`));
  const everyByRule = Array.from({ length: DECISIONS }, (_, i) => arrivalFor(`t${i}.example-${i % 10}.com`));
  /** @type {Record<string, [readonly Arrival[], readonly Arrival[]]>} */
  const kinds = {
    'let through': [free, free],
    denied: [byRule, listed],
    'denied, a host that was never asked for': [everyByRule, every],
  };
  const wrong = listed.filter(
    (one) => million.decide(million.identify.connect(one).question, Date.now()).decision.rule !== 'listed',
  );
  if (wrong.length > 0) throw new Error(`${wrong.length} hosts of the list were not found`);

  process.stdout.write(
    `list: ${set.size.toLocaleString('en')} domains, read in ${took.toFixed(0)} ms, ` +
      `others waited ${worst.toFixed(0)} ms at most\n`,
  );
  process.stdout.write(
    `memory: ${((after - before) / MIB).toFixed(1)} MiB of the process, ` +
      `${(set.bytes / MIB).toFixed(1)} MiB in arrays; the bound is 64 MiB\n`,
  );
  for (const [kind, [few, many]] of Object.entries(kinds)) {
    /** @type {{ ten: number[], million: number[] }} */
    const times = { ten: [], million: [] };
    for (let turn = -3; turn < TURNS; turn++) {
      const [a, b] = [time(ten, few), time(million, many)];
      if (turn < 0) continue;
      times.ten.push(a);
      times.million.push(b);
    }
    const [a, b] = [best(times.ten), best(times.million)];
    process.stdout.write(
      `decision, ${kind}: ${a.toFixed(0)} ns with ten rules, ${b.toFixed(0)} ns with the list too: ` +
        `${(b / a).toFixed(2)}x; the bound is 1.5x\n`,
    );
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
