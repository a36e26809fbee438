/**
 * Whether the proxy keeps anything of what it has served: a mix of requests through the built product with everything
 * on, its policy changed every five seconds meanwhile, and what it holds after each part of them, once all is closed
 * and its garbage is collected. Exits with 1 where it grows, where a descriptor or a tunnel is left, where an answer is
 * not the one that was due, where a policy is not taken, or where an exception was caught by nobody.
 *
 * Usage: npm run soak -- [--requests 1000000 | --minutes M] [--workers N] [--concurrency 16]
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { availableParallelism, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fit, grows } from './growth.mjs';
import { descriptorsOf, family } from './processes.mjs';
import { sallyport, startOrigin } from './rivals.mjs';
import { traffic } from './traffic.mjs';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    minutes: { type: 'string' },
    workers: { type: 'string', default: '1' },
    concurrency: { type: 'string', default: '16' },
  },
});

/** Of twenty requests; and the status that each has. */
const mix = {
  connect: { share: 8, status: '200' },
  http: { share: 5, status: '200' },
  refuse: { share: 3, status: '403' },
  blocktls: { share: 3, status: '403' },
  blockcold: { share: 1, status: '403' },
};
/** @typedef {keyof typeof mix} Kind */
const kinds = /** @type {Kind[]} */ (Object.keys(mix));
const round = kinds.flatMap((kind) => Array.from({ length: mix[kind].share }, () => kind));

/**
 * More new hosts than anything about a host is kept for (10,000): what is bounded is full before anything is measured.
 */
const WARM_HOSTS = 12_000;
const PARTS = 40;
/** Milliseconds between two changes of the policy. */
const CHANGES = 5_000;
/** Samples that are not judged: V8 compiles, and memory finds its size. */
const SETTLING = PARTS / 4;
/** Requests between two samples of a run that has a time and not a number. */
const PART_OF_TIME = 10_000;
/** Bytes over all that is judged: code that V8 compiles, throws away and compiles again moves the heap by less. */
const MATTERS = { heap: 2 ** 20, rss: 2 ** 23 };

/** @type {Record<string, number>} */
const surprises = {};

/**
 * @param {Kind} kind
 * @param {() => Promise<string>} request
 */
async function expectStatus(kind, request) {
  const saw = await request().catch((/** @type {unknown} */ error) => String(error));
  if (saw === mix[kind].status) return;
  surprises[`${kind}: ${saw}`] = (surprises[`${kind}: ${saw}`] ?? 0) + 1;
}

/**
 * As many requests as that, several at once, each kind as often as its share.
 * @param {ReturnType<typeof traffic>} through
 * @param {number} requests
 * @param {readonly Kind[]} sequence
 */
async function drive(through, requests, sequence) {
  let sent = 0;
  const client = async () => {
    const connection = await through.kept.http();
    while (sent < requests) {
      const kind = sequence[sent % sequence.length] ?? 'connect';
      sent += 1;
      await expectStatus(kind, kind === 'http' ? connection.request : through.modes[kind]);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: Number(values.concurrency) }, client));
}

/**
 * Asks until it is so, for ten seconds at most.
 * @param {() => boolean | Promise<boolean>} isSo
 */
async function settled(isSo) {
  const until = performance.now() + 10_000;
  while (!(await isSo()) && performance.now() < until) await sleep(50);
}

const dir = mkdtempSync(join(tmpdir(), 'sallyport-soak-'));
const reports = join(dir, 'reports');
mkdirSync(reports);
process.env['MEMORY_REPORTS'] = reports;
/** @type {import('node:child_process').ChildProcess[]} */
const running = [];

/** What the metrics say now. @param {number} adminPort */
async function said(adminPort) {
  /** @type {string} */
  const text = await new Promise((resolve, reject) => {
    // A connection of its own, which is gone when the proxy's are counted.
    const asked = request({ host: '127.0.0.1', port: adminPort, path: '/metrics', agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => (body += chunk));
      answer.on('end', () => resolve(body));
    });
    asked.on('error', reject).end();
  });
  const of = (/** @type {string} */ name) =>
    Number(new RegExp(`^sallyport_${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(text)?.[1] ?? NaN);
  return {
    tunnels: of('tunnels_open'),
    connections: of('connections_open'),
    uncaught: of('uncaught_exceptions_total'),
    taken: of('config_last_reload_successful'),
    policy: /^sallyport_policy_info\{.*?hash="([^"]+)"/m.exec(text)?.[1],
  };
}

/**
 * Changes the policy again and again, by a rule that is not asked for.
 * @param {number} pid
 * @returns {{ stop: () => void, count: () => number }}
 */
function keepChanging(pid) {
  const file = join(dir, 'policy.yaml');
  const asShipped = readFileSync(file, 'utf8');
  let count = 0;
  const timer = setInterval(() => {
    count += 1;
    writeFileSync(
      file,
      `${asShipped}  - { id: change, domains: change-${count}.test, effect: deny, reason: Asked for by nobody. }\n`,
    );
    process.kill(pid, 'SIGHUP');
  }, CHANGES);
  return { stop: () => clearInterval(timer), count: () => count };
}

/** What it holds in memory, in bytes, after its garbage was collected. @param {number} pid */
async function collected(pid) {
  let heap = 0;
  let rss = 0;
  for (const one of family(pid)) {
    const file = join(reports, `${one}.json`);
    /** @returns {{ heapUsed: number, external: number, rss: number } | null} */
    const report = () => {
      try {
        /** @type {unknown} */
        const said = JSON.parse(readFileSync(file, 'utf8'));
        return /** @type {{ heapUsed: number, external: number, rss: number }} */ (said);
      } catch {
        return null;
      }
    };
    // The second time finds what the first has let go.
    for (let i = 0; i < 2; i += 1) {
      rmSync(file, { force: true });
      process.kill(one, 'SIGUSR2');
      await settled(() => report() !== null);
    }
    const saw = report();
    if (saw === null) throw new Error(`process ${one} of the proxy does not say what memory it uses`);
    heap += saw.heapUsed + saw.external;
    rss += saw.rss;
  }
  return { heap, rss };
}

/** @param {readonly (string | number)[]} cells */
function print(cells) {
  process.stdout.write(`${cells.map((cell) => String(cell).padStart(12)).join('')}\n`);
}

const mib = (/** @type {number} */ bytes) => (bytes / 2 ** 20).toFixed(2);

async function soak() {
  const origin = await startOrigin(dir, running);
  const more = `workers: ${values.workers}\nblock_events: { path: events.log }\n`;
  const proxy = await sallyport(dir, running, more);
  const through = traffic(proxy.port, origin.port);
  // The one that waited for it to listen is gone.
  const { policy: first } = await said(proxy.adminPort);
  await sleep(1_000);
  const atRest = descriptorsOf(proxy.pid);

  const sample = async (/** @type {number} */ requests) => {
    process.kill(origin.pid, 'SIGUSR2');
    await settled(() => descriptorsOf(proxy.pid).sockets <= atRest.sockets);
    let now = await said(proxy.adminPort);
    await settled(async () => {
      now = await said(proxy.adminPort);
      return now.tunnels === 0 && now.connections === 0;
    });
    const memory = await collected(proxy.pid);
    await settled(() => descriptorsOf(proxy.pid).sockets <= atRest.sockets);
    const { all, sockets } = descriptorsOf(proxy.pid);
    for (const log of ['access.log', 'events.log']) truncateSync(join(dir, log));
    print([requests, mib(memory.heap), mib(memory.rss), all, sockets - atRest.sockets, now.tunnels, now.connections]);
    return { requests, ...memory, descriptors: all, sockets: sockets - atRest.sockets, ...now };
  };

  process.stdout.write(
    `Node ${process.version}, Linux ${release()}, ${cpus()[0]?.model ?? ''} x ${availableParallelism()}\n`,
  );
  print(['requests', 'heap MiB', 'RSS MiB', 'descriptors', 'sockets', 'tunnels', 'connections']);
  await drive(through, WARM_HOSTS, ['blockcold']);
  await drive(through, 1_000, round);
  const samples = [await sample(0)];
  const changing = keepChanging(proxy.pid);
  const started = performance.now();
  const until = values.minutes === undefined ? Infinity : started + Number(values.minutes) * 60_000;
  const goal = values.minutes === undefined ? Number(values.requests) : Infinity;
  const part = values.minutes === undefined ? Math.ceil(goal / PARTS) : PART_OF_TIME;
  let sent = 0;
  while (sent < goal && performance.now() < until) {
    const count = Math.min(part, goal - sent);
    await drive(through, count, round);
    sent += count;
    samples.push(await sample(sent));
  }
  changing.stop();
  const seconds = (performance.now() - started) / 1_000;
  process.stdout.write(
    `${sent} requests in ${seconds.toFixed(0)} s, ${(sent / seconds).toFixed(0)} a second, ${changing.count()} policies\n`,
  );
  const last = await said(proxy.adminPort);
  if (changing.count() > 0 && (last.taken !== 1 || last.policy === first))
    surprises['a changed policy is not taken'] = 1;
  return samples;
}

/** What is wrong, one line each. @param {Awaited<ReturnType<typeof soak>>} samples @returns {string[]} */
function verdict(samples) {
  const judged = samples.slice(Math.min(SETTLING, Math.floor(samples.length / 4)));
  const first = judged[0];
  const last = judged.at(-1);
  if (first === undefined || last === undefined || judged.length < 8)
    return ['too few samples to judge: run it longer'];
  const wrong = Object.entries(surprises).map(([what, times]) => `not what was due, ${times} times: ${what}`);
  for (const of of /** @type {const} */ (['heap', 'rss'])) {
    const line = fit(judged.map((one) => [one.requests / 1_000, one[of]]));
    const span = (last.requests - first.requests) / 1_000;
    const found = `${of}: ${line.slope.toFixed(0)} bytes for each 1,000 requests, standard error ${line.error.toFixed(0)}`;
    process.stdout.write(`${found}\n`);
    if (grows(line, span, MATTERS[of]))
      wrong.push(`${of} grows: by ${mib(line.slope * span)} MiB since the first judged`);
  }
  if (last.descriptors > first.descriptors) {
    wrong.push(`descriptors grow: ${first.descriptors} at first, ${last.descriptors} at last`);
  }
  if (last.uncaught !== 0) wrong.push(`exceptions that nobody caught: ${last.uncaught}`);
  for (const left of /** @type {const} */ (['sockets', 'tunnels', 'connections'])) {
    if (last[left] !== 0) wrong.push(`left open at the end: ${last[left]} ${left}`);
  }
  return wrong;
}

try {
  const wrong = verdict(await soak());
  process.stdout.write(wrong.length === 0 ? 'nothing grows, nothing is left open\n' : `${wrong.join('\n')}\n`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} finally {
  for (const one of running) one.kill('SIGTERM');
  await sleep(1_500);
  for (const one of running) one.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
}
