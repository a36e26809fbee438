/**
 * Resources, of the built product as a process of its own: peers that vanish, and how soon it is back at its next task.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { repository, seriesValue } from '../support/lab.ts';
import { build } from '../support/product.ts';
import { eventually } from '../support/streams.ts';
import { connectHead } from '../support/tunnels.ts';
import { attack, get, openField } from './field.ts';
import { mutate, randomFrom } from './mutate.ts';

const field = openField({
  settings: {
    limits: { head_timeout: '2s', connections: 5_000 },
    // Long enough that a busy machine has opened and counted all tunnels before the silent ones end.
    tunnels: { idle_timeout: '6s', hello_timeout: '2s' },
  },
});

interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly proxyPort: number;
  readonly adminPort: number;
}

function killed(child: ChildProcess): ChildProcess {
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** `sallyport serve`, behind the words of a command that runs it. */
async function started(file: string, ...before: readonly string[]): Promise<Started> {
  build();
  const words = [...before, process.execPath, join(repository, 'dist/main.js'), 'serve', '-c', file];
  const child = killed(spawn(words[0] ?? '', words.slice(1), { stdio: ['ignore', 'pipe', 'ignore'] }));
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await eventually('the proxy listens', () => text.includes('# counted'), 20_000);
  const port = (what: string): number => Number(new RegExp(`${what} +http://127\\.0\\.0\\.1:(\\d+)`).exec(text)?.[1]);
  return { child, pid: child.pid ?? 0, proxyPort: port('proxy'), adminPort: port('admin') };
}

function socketsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

const own = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
const namespaces = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
const EACH = 10;

attack(
  field,
  105,
  'Peers that vanish without FIN or RST on both sides of 30 tunnels: silent, downloading and uploading',
  'the idle limit frees both sides, with every descriptor back; whoever comes next is served',
  async ({ lab }) => {
    const { pid, proxyPort, adminPort } = await started(lab.file, ...own);
    const inside = ['nsenter', '--target', String(pid), '--net'] as const;
    const within = (...words: readonly string[]): string => {
      const { status, stdout, stderr } = spawnSync(inside[0], [...inside.slice(1), ...words], { encoding: 'utf8' });
      expect(status, stderr).toBe(0);
      return stdout;
    };
    const openTunnels = (): number => {
      const ask = `fetch('http://127.0.0.1:${adminPort}/metrics', { headers: { connection: 'close' } })`;
      const text = within(process.execPath, '-e', `${ask}.then((res) => res.text()).then(console.log)`);
      return seriesValue(text, 'sallyport_tunnels_open', []);
    };
    const atRest = socketsOf(pid);

    const script = join(repository, 'test/support/peers.mjs');
    const words = [...inside.slice(1), process.execPath, script, ...[proxyPort, adminPort, EACH].map(String)];
    const peers = killed(spawn(inside[0], words, { stdio: ['ignore', 'pipe', 'inherit'] }));
    let said = '';
    peers.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const open = (): number => seriesValue(said, 'sallyport_tunnels_open', []);
    await eventually('all tunnels are open', () => open() === 3 * EACH);
    expect(socketsOf(pid)).toBeGreaterThanOrEqual(atRest + 6 * EACH);

    // Every segment is lost from here on; the peers themselves are killed, so that they answer nothing later.
    within('ip', 'link', 'set', 'lo', 'down');
    peers.kill('SIGKILL');
    await eventually('every descriptor is back', () => socketsOf(pid) <= atRest, 30_000);
    within('ip', 'link', 'set', 'lo', 'up');
    expect(openTunnels()).toBe(0);
    const refused = connectHead('refused.test:443').replaceAll('\r\n', String.raw`\r\n`);
    const ask = `require('net').connect(${proxyPort}, '127.0.0.1').on('data', (b) => console.log(String(b))).write('${refused}')`;
    expect(within(process.execPath, '-e', ask)).toMatch(/^HTTP\/1\.1 403 /);
  },
  90_000,
  namespaces ? null : 'network namespace to be had (unshare, ip, and the right to use them)',
);

const LAG = 0.02;
const ROUNDS = 6;
/** Takes turns as the proxy does, and says how long it waited for each: what the machine makes of anybody's turn. */
const bystanding = `
const lag = require('perf_hooks').monitorEventLoopDelay({ resolution: 10 });
lag.enable();
const turn = () => { const until = performance.now() + 0.5; while (performance.now() < until); setImmediate(turn); };
turn();
process.on('SIGTERM', () => { console.log(lag.percentile(99) / 1e9); process.exit(); });
`;

attack(
  field,
  107,
  'How late the event loop is during floods: slow heads, mutated requests, refused CONNECTs, names for new leaves',
  'in 99 of 100 moments less than 20 ms, beyond what the machine takes from any process',
  async ({ lab, at }) => {
    const { proxyPort, adminPort } = await started(lab.file);
    const random = randomFrom(1);
    const seeds = [get(`http://${at('deny.test')}/`), connectHead('refused.test:443')].map((text) => Buffer.from(text));
    const kinds: readonly (() => Uint8Array | string)[] = [
      () => 'GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nX-Slow: ',
      () => mutate(seeds[0] ?? Buffer.alloc(0), random),
      () => seeds[1] ?? '',
      () => connectHead(at(`n${Math.floor(random() * 1e9)}.deny.test`)),
    ];
    const one = (bytes: Uint8Array | string): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect({ port: proxyPort, host: '127.0.0.1' });
        onTestFinished(() => void socket.destroy());
        const patience = setTimeout(resolve, 20);
        socket.on('error', () => undefined).on('data', () => socket.destroy());
        socket.once('close', () => {
          clearTimeout(patience);
          resolve();
        });
        socket.write(bytes);
      });
    const lagNow = async (): Promise<number> => {
      const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
      return seriesValue(text, 'nodejs_eventloop_lag_p99_seconds', []);
    };
    /** Seconds that the proxy was late, and that anybody was. */
    const round = async (): Promise<readonly [number, number]> => {
      const control = killed(spawn(process.execPath, ['-e', bystanding], { stdio: ['ignore', 'pipe', 'inherit'] }));
      let said = '';
      control.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
      // Each look starts the count anew.
      await lagNow();
      const client = async (): Promise<void> => {
        for (let i = 0; i < 40; i += 1) await one(kinds[i % kinds.length]?.() ?? '');
      };
      await Promise.all(Array.from({ length: 40 }, client));
      const lag = await lagNow();
      const ended = new Promise((resolve) => control.once('close', resolve));
      control.kill('SIGTERM');
      await ended;
      // The histogram has the 10 ms in it after which it looks again.
      return [lag - 0.01, Math.max(0, Number(said) - 0.01)];
    };
    // The first flood also waits for V8 to compile what it never ran before.
    await round();
    const seen: (readonly [number, number])[] = [];
    const isGood = (): boolean => seen.some(([lag, anybody]) => lag < LAG + anybody);
    while (!isGood() && seen.length < ROUNDS) seen.push(await round());
    expect(isGood(), JSON.stringify(seen)).toBe(true);
  },
  120_000,
);
