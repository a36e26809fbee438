/** The built product as a process of its own, as operators run it. */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { repository, seriesValue, writeConfig, type LabOptions } from './lab.ts';
import { eventually } from './streams.ts';

const main = join(repository, 'dist/main.js');
let built = false;

/** Compiles what has changed; after `npm test` has done so, it only looks. */
export function build(): void {
  if (!built) execFileSync(process.execPath, [join(repository, 'scripts/build-if-needed.mjs')], { stdio: 'pipe' });
  built = true;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Process {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Reads no more of what it says: whatever it writes from now on fails with EPIPE. */
  readonly leave: () => void;
  readonly ended: Promise<Ended>;
}

export interface RunOptions {
  readonly cwd?: string;
  /** For Node.js itself. */
  readonly node?: readonly string[];
  /** An open file that standard output goes to; left out: it is kept. */
  readonly out?: number;
}

/** Runs `sallyport ARGS`; it is killed when the test ends. */
export function run(args: readonly string[], options: RunOptions = {}): Process {
  build();
  const child = spawn(process.execPath, [...(options.node ?? []), main, ...args], {
    cwd: options.cwd ?? repository,
    stdio: ['ignore', options.out ?? 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  return {
    pid: child.pid ?? 0,
    stdout: () => out,
    stderr: () => err,
    kill: (signal) => void child.kill(signal),
    leave() {
      child.stdout?.destroy();
      child.stderr?.destroy();
    },
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal }))),
  };
}

export interface Product extends Process {
  readonly file: string;
  readonly dir: string;
  readonly proxyPort: number;
  readonly adminPort: number;
  readonly pagesPort: number;
  readonly metrics: () => Promise<string>;
  readonly metric: (name: string, ...labels: readonly string[]) => Promise<number>;
}

/** Asks on a connection of its own, which is gone afterwards. */
function fetchText(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = get({ port, host: '127.0.0.1', path, agent: false }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      res.once('end', () => resolve(text)).once('error', reject);
    });
    asked.once('error', reject);
  });
}

function portIn(text: string, what: string): number {
  return Number(new RegExp(`^\\s*${what} +http://127\\.0\\.0\\.1:(\\d+)`, 'm').exec(text)?.[1]);
}

/** `sallyport serve` with a configuration folder of its own; resolves when it has said where it listens. */
export async function serve(options: LabOptions = {}, node: readonly string[] = []): Promise<Product> {
  const file = writeConfig(options);
  const dir = dirname(file);
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const started = run(['serve', '-c', file], { node });
  const ended = started.ended.then(() => Promise.reject(new Error(`serve ended: ${started.stderr()}`)));
  await Promise.race([ended, eventually('the welcome of serve', () => started.stdout().includes('# counted'))]);
  const adminPort = portIn(started.stdout(), 'admin');
  const metrics = (): Promise<string> => fetchText(adminPort, '/metrics');
  return {
    ...started,
    file,
    dir,
    adminPort,
    proxyPort: portIn(started.stdout(), 'proxy'),
    pagesPort: portIn(started.stdout(), 'pages'),
    metrics,
    metric: async (name, ...labels) => seriesValue(await metrics(), name, labels),
  };
}

/** Whether the system shows what its processes hold; else says loudly what is not checked. */
export function procIsThere(unchecked: string): boolean {
  if (process.platform === 'linux') return true;
  console.warn(`\n*** NOT CHECKED: ${unchecked}. It needs /proc, which is there on Linux only. ***\n`);
  return false;
}

/** Resident memory of a process, MiB. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
