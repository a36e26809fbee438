/** The whole product in this process, on free ports, with a configuration folder of its own. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { tryConfig } from '../../src/config/load.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import type { Addresses } from '../../src/gateway/listening.ts';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** Denies Anthropic and OpenAI inside TLS, `refused.test` at the CONNECT, `reset.test` by RST; allows the rest. */
export const labPolicy = `
assistants:
  qoder: { name: Qoder, url: 'http://assistant.test/' }
default_assistant: qoder
rules:
  - { id: claude-ban, vendors: anthropic, effect: deny, reason: Claude Code is classified as high-risk. }
  - { id: openai-ban, vendors: openai, effect: deny, reason: ChatGPT is not approved. }
  - { id: gemini-now, vendors: google, effect: deny, redirect: immediate, reason: Use the assistant. }
  - { id: deepseek-count, vendors: deepseek, effect: monitor, reason: Under review. }
  - { id: refused, domains: refused.test, effect: deny, manner: refuse, reason: Refused at the CONNECT. }
  - { id: reset, domains: reset.test, effect: deny, manner: reset, reason: Reset. }
  - { id: loopback, domains: [127.0.0.1], effect: allow, reason: The origins of the tests. }
defaults: { unlisted: allow, catalogue: monitor, raw_address: deny }
`;

export interface LabOptions {
  readonly policy?: string;
  /**
   * Files beside those of the shipped catalogue, by name, in a folder `vendors` of the lab; left out: there is none.
   */
  readonly vendors?: Readonly<Record<string, string>>;
  /** Merged over the settings of the lab, key by key at the top level. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The clock that the policy goes by. */
  readonly now?: () => number;
}

export interface LogLine {
  readonly '@timestamp': string;
  readonly event: { readonly id: string; readonly action: string; readonly outcome: string };
  readonly url?: { readonly domain?: string; readonly port?: number; readonly path?: string; readonly scheme?: string };
  readonly source?: { readonly bytes?: number; readonly port?: number };
  readonly destination?: { readonly bytes?: number };
  readonly rule?: { readonly id: string };
  readonly sallyport: Readonly<Record<string, string | undefined>>;
}

export interface Lab {
  readonly dir: string;
  readonly file: string;
  readonly gateway: Gateway;
  readonly addresses: Addresses;
  readonly proxyPort: number;
  readonly proxyUrl: string;
  readonly ca: string;
  readonly caFile: string;
  /** The lines of the access log so far. */
  readonly lines: () => readonly LogLine[];
  /** What the gateway told its operator. */
  readonly told: readonly string[];
  readonly metrics: () => Promise<string>;
  /** The value of one series, 0 where there is none; `labels` as they stand in the text. */
  readonly metric: (name: string, ...labels: readonly string[]) => Promise<number>;
  readonly close: () => Promise<void>;
}

export const shippedVendors = join(repository, 'config/vendors');

/** Writes a configuration folder and returns its sallyport.yaml. */
export function writeConfig({ policy = labPolicy, vendors, settings = {} }: LabOptions = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-lab-'));
  if (vendors !== undefined) cpSync(shippedVendors, join(dir, 'vendors'), { recursive: true });
  for (const [name, text] of Object.entries(vendors ?? {})) writeFileSync(join(dir, 'vendors', name), text);
  writeFileSync(join(dir, 'policy.yaml'), policy);
  const base = {
    listen: { proxy: '127.0.0.1:0', pages: '127.0.0.1:0', admin: '127.0.0.1:0' },
    reload: 'signal',
    // Where each lab has its own, each has hundreds of files to copy, to read and to remove.
    vendors: vendors === undefined ? shippedVendors : 'vendors',
    certificates: { dir: 'certs' },
    pages: { company: { name: 'Acme', contact: 'it@acme.test' } },
    outbound: { hosts: { '*.test': '127.0.0.1' }, allow: ['*.test', '127.0.0.1'] },
  };
  writeFileSync(join(dir, 'sallyport.yaml'), stringify({ ...base, ...settings }));
  return join(dir, 'sallyport.yaml');
}

/** The sum of the series of that name which have all these labels; 0 where there is none. */
export function seriesValue(text: string, name: string, labels: readonly string[]): number {
  const found = text
    .split('\n')
    .filter((line) => line.startsWith(name) && /^[ {]/.test(line.slice(name.length)))
    .filter((line) => labels.every((label) => line.includes(label)));
  return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const file = writeConfig(options);
  const dir = join(file, '..');
  const stdout = new PassThrough();
  let log = '';
  stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const told: string[] = [];
  const gateway = await createGateway({
    load: (candidate) => tryConfig(file, candidate),
    version: '0.0.0',
    nodeVersion: process.version,
    stdout,
    log: (line) => void told.push(line),
    ...(options.now !== undefined && { now: options.now }),
  });
  const addresses = await gateway.listen();
  const metrics = async (): Promise<string> => (await fetch(`http://127.0.0.1:${addresses.admin.port}/metrics`)).text();
  return {
    dir,
    file,
    gateway,
    addresses,
    proxyPort: addresses.proxy.port,
    proxyUrl: `http://127.0.0.1:${addresses.proxy.port}`,
    ca: readFileSync(gateway.caFile, 'utf8'),
    caFile: gateway.caFile,
    lines: () =>
      log
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LogLine),
    told,
    metrics,
    metric: async (name, ...labels) => seriesValue(await metrics(), name, labels),
    async close() {
      await gateway.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
