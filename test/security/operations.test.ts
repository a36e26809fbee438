/** What operators run: the admin port, files that are read while clients are served, and several workers. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, onTestFinished } from 'vitest';
import { repository, writeConfig } from '../support/lab.ts';
import { build, procIsThere, serve } from '../support/product.ts';
import { connectRaw, eventually } from '../support/streams.ts';
import { attack, fieldPolicy, get, openField, testedIn } from './field.ts';

const dir = mkdtempSync(join(tmpdir(), 'sallyport-operations-'));
const token = 'sixteen-characters-of-token';
const tokenFile = join(dir, 'token');
writeFileSync(tokenFile, token, { mode: 0o600 });
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const field = openField({ settings: { admin: { token_file: tokenFile } } });

attack(
  field,
  185,
  'Tokens of the admin API, guessed one after the other: by GET, POST and DELETE, and the right one among them',
  '429 after ten wrong ones of a client in a minute, to the right one as well; one line of the log, and it names no token',
  async ({ lab }) => {
    const url = `http://127.0.0.1:${lab.addresses.admin.port}/api`;
    const ask = async (path: string, method: string, given: string | null): Promise<number> => {
      const headers = given === null ? {} : { authorization: `Bearer ${given}` };
      return (await fetch(`${url}/${path}`, { method, headers })).status;
    };
    for (let i = 0; i < 20; i += 1)
      expect(await ask('status', 'GET', i % 2 === 0 ? token : null)).toBe(i % 2 === 0 ? 200 : 401);
    const statuses: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      statuses.push(await ask('status', 'GET', `guess-${i}`));
      statuses.push(await ask('reload', 'POST', `guess-${i}`));
      statuses.push(await ask('exceptions/none', 'DELETE', `guess-${i}`));
    }
    expect(statuses).toEqual([...new Array<number>(10).fill(401), ...new Array<number>(20).fill(429)]);
    expect(await ask('status', 'GET', token)).toBe(429);
    expect(await lab.metric('sallyport_limited_total', 'limit="admin_tokens"')).toBe(21);
    const told = lab.told.filter((line) => line.includes('token'));
    expect(told).toEqual(['admin: too many wrong tokens from 127.0.0.1; everything it sends is refused for a while']);
  },
);

testedIn(
  186,
  'A pipe or a device in the place of the CA, its key, its passphrase, `outbound.ca_file`, a token or a secret',
  'one line that says so: no start and no check of a password waits for ever',
  'read-whole.test.ts',
);

/** The built product, whose standard output is read no further once `stop` was called. */
async function startUnread(settings: Readonly<Record<string, unknown>>) {
  build();
  const file = writeConfig({ policy: fieldPolicy.replace('vendors: acme', 'domains: deny.test'), settings });
  const child = spawn(process.execPath, [join(repository, 'dist/main.js'), 'serve', '-c', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(dirname(file), { recursive: true, force: true });
  });
  const out: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => void out.push(text));
  child.stderr.resume();
  await eventually('the welcome of serve', () => out.join('').includes('# counted'));
  return {
    port: Number(/^ *proxy +http:\/\/127\.0\.0\.1:(\d+)/m.exec(out.join(''))?.[1]),
    stop: () => void child.stdout.pause(),
    term: () =>
      new Promise((resolve) => {
        child.once('exit', (code, signal) => resolve({ code, signal }));
        child.kill('SIGTERM');
      }),
  };
}

attack(
  field,
  187,
  'Readers of the access log on standard output, and of block events in a pipe, that are there and read no more',
  'clients are served all the same, and TERM ends the process within seconds',
  async ({ at }) => {
    const pipe = join(dir, 'events');
    execFileSync('mkfifo', [pipe]);
    const reader = openSync(pipe, constants.O_RDWR);
    onTestFinished(() => closeSync(reader));
    const { port, stop, term } = await startUnread({
      block_events: { path: pipe },
      limits: { drain_timeout: '1s' },
    });
    stop();
    // Both hold 64 KiB: what is denied is in each of the two.
    const path = 'x'.repeat(1_500);
    const ask = async (host: string): Promise<string> => {
      const client = await connectRaw(port, get(`http://${at(host)}/${path}`, undefined, 'Connection: close\r\n'));
      return (await client.ended).text.slice(0, 12);
    };
    for (let i = 0; i < 20; i += 1) {
      const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(`n${10 * i + n}.deny.test`)));
      expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 403']));
    }
    expect(await ask('ok.test')).toBe('HTTP/1.1 200');
    expect(await term()).toEqual({ code: 0, signal: null });
  },
);

attack(
  field,
  188,
  'Three hundred wishes to reload at once, by HUP or over the API, and HUP while the proxy is still starting',
  'two readings, with time for clients between them, whose answers are for all who asked; the start goes on',
  async ({ lab, at, status }) => {
    const told = lab.told.length;
    const asked = Array.from({ length: 300 }, () => lab.gateway.refresh());
    expect(await status(get(`http://${at('ok.test')}/`))).toBe(200);
    expect(new Set(await Promise.all(asked))).toEqual(new Set([true]));
    const reloaded = lab.told.slice(told).filter((line) => line.startsWith('reloaded: '));
    expect(reloaded).toHaveLength(2);
  },
);

testedIn(
  189,
  'A directory server, or who sits before its STARTTLS, that answers with a message of gigabytes',
  '503 for who waits for it, after one megabyte; a line says so, and nobody else waits',
  'identify/ldap-session.test.ts',
);

testedIn(
  190,
  'Hundreds of names of one domain at once, each with thousands of addresses: minutes for the parser of Node.js',
  'the first answer that is too large ends all questions about that domain for a minute; others are answered as ever',
  'act/query-limits.test.ts',
  'act/dns.test.ts',
);

attack(
  field,
  191,
  'USR1 and USR2, which rotate the logs of other proxies, where Node.js opens a debugger for all of the machine, or ends',
  'USR1 opens logs anew as HUP does, USR2 is one line; no port is opened, in no process',
  async () => {
    const policy = fieldPolicy.replace('vendors: acme', 'domains: deny.test');
    const product = await serve({ policy, settings: { workers: 2 } });
    if (procIsThere('what these signals do to workers')) {
      const workers = readFileSync(`/proc/${product.pid}/task/${product.pid}/children`, 'utf8').trim().split(' ');
      for (const pid of workers) for (const signal of ['SIGUSR1', 'SIGUSR2']) process.kill(Number(pid), signal);
    }
    product.kill('SIGUSR1');
    await eventually('a reload', () => product.stderr().includes('reloaded: '));
    product.kill('SIGUSR2');
    await eventually('a line', () => product.stderr().includes('USR2 does nothing here'));
    expect(product.stderr()).not.toMatch(/debugger|inspector/i);
    expect(await product.metric('sallyport_workers')).toBe(2);
    expect(await product.metric('sallyport_workers_replaced_total')).toBe(0);
  },
);

testedIn(
  192,
  'Metrics asked for on a hundred connections at once, again and again',
  'one rendering for all who wait, with a rest in which clients are served; nobody is told what has changed since',
  'gateway/scrapes.test.ts',
);

testedIn(
  193,
  'IPv4 clients of the pages port and the admin port, where these listen on `[::]` and all begin with `::ffff:`',
  'each is a client of its own: one machine takes neither the connections nor the tries of all others',
  'listen/peers.test.ts',
);
