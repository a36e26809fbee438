/**
 * Where attacks are tried: the whole product, one origin behind all names, and the checks that end every case. Denied
 * is `deny.test` (by its vendor, `acme`), allowed is `ok.test`, and `none.test` is named by no rule.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { makeCertificate, type TestCertificate } from '../support/certificate.ts';
import { repository, startLab, type Lab, type LabOptions, type LogLine } from '../support/lab.ts';
import { connectRaw, eventually } from '../support/streams.ts';

export const fieldPolicy = `
assistants:
  qoder: { name: Qoder, url: 'http://assistant.test/start' }
default_assistant: qoder
rules:
  - { id: acme-ban, vendors: acme, effect: deny, reason: Acme keeps what it is told. }
  - { id: refused, domains: refused.test, effect: deny, manner: refuse, reason: Refused at the CONNECT. }
  - { id: known, domains: [ok.test, other.test], effect: allow, reason: Known hosts. }
defaults: { unlisted: allow, catalogue: monitor, raw_address: deny }
`;

/** The twenty that matter most. */
const starred = new Set([1, 5, 17, 19, 20, 26, 27, 39, 43, 46, 53, 64, 76, 77, 83, 87, 92, 98, 104, 120]);

/** Everything that reached the far side, whoever sent it. */
export interface FarSide {
  readonly port: number;
  readonly certificate: TestCertificate;
  /** All bytes that came, below TLS, as latin1. */
  readonly bytes: () => string;
  /** `METHOD host path` of each request, in the clear or inside TLS. */
  readonly requests: () => readonly string[];
  /** Connections that it ever took. */
  readonly taken: () => number;
  readonly open: ReadonlySet<Socket>;
  /** Takes the place of the plain answer for the length of one test. */
  readonly answerWith: (listener: RequestListener) => void;
  /** Raw bytes for every connection of one test, in place of HTTP. */
  readonly speakRaw: (speak: (socket: Socket) => void) => void;
  readonly forget: () => void;
  readonly close: () => void;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function openFarSide(): Promise<FarSide> {
  const certificate = makeCertificate('ok.test', '*.ok.test', 'other.test', 'deny.test', 'look.test');
  const chunks: Buffer[] = [];
  const requests: string[] = [];
  const open = new Set<Socket>();
  let taken = 0;
  const plain: RequestListener = (_req, res) => void res.end('the origin');
  let listener = plain;
  let raw: ((socket: Socket) => void) | null = null;
  const onRequest: RequestListener = (req, res) => {
    requests.push(`${req.method ?? ''} ${req.headers.host ?? ''} ${req.url ?? ''}`);
    listener(req, res);
  };
  const http = createHttp({ requireHostHeader: false }, onRequest);
  const https = createHttps({ key: certificate.key, cert: certificate.cert, requireHostHeader: false }, onRequest);
  https.on('tlsClientError', () => undefined);
  await Promise.all([http, https].map((inner) => new Promise<void>((done) => inner.listen(0, '127.0.0.1', done))));
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    taken += 1;
    open.add(socket);
    socket.on('error', () => undefined).once('close', () => open.delete(socket));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    if (raw !== null) {
      raw(socket);
      return;
    }
    const endToo = (): void => void socket.end();
    socket.once('end', endToo);
    socket.once('data', (first: Buffer) => {
      socket.off('end', endToo);
      const port = portOf(first[0] === 22 ? https : http);
      const inner = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
      inner.on('error', () => socket.destroy()).once('close', () => socket.destroy());
      socket.once('close', () => inner.destroy());
      inner.write(first);
      socket.pipe(inner).pipe(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    certificate,
    bytes: () => Buffer.concat(chunks).toString('latin1'),
    requests: () => requests,
    taken: () => taken,
    open,
    answerWith(next) {
      listener = next;
      onTestFinished(() => void (listener = plain));
    },
    speakRaw(speak) {
      raw = speak;
      onTestFinished(() => {
        raw = null;
        // What the proxy keeps open would answer the next case.
        for (const socket of open) socket.destroy();
      });
    },
    forget() {
      chunks.length = 0;
      requests.length = 0;
    },
    close() {
      for (const one of [server, http, https]) one.close();
      for (const socket of open) socket.destroy();
      certificate.remove();
    },
  };
}

export interface Field {
  /** Header lines of a bystander. */
  readonly bystander: string;
  readonly lab: Lab;
  readonly far: FarSide;
  /** `host:port` of the far side under a name. */
  readonly at: (host: string) => string;
  /** Sends bytes to the proxy port and gives what comes back until it ends, or until it is silent after an answer. */
  readonly send: (bytes: string | Uint8Array) => Promise<string>;
  /** What the access log has for what `run` does, once `count` lines are there. */
  readonly logged: (count: number, run: () => Promise<unknown>) => Promise<readonly LogLine[]>;
  /** The status of the first answer to these bytes; 0 for a connection that ended without one. */
  readonly status: (bytes: string | Uint8Array) => Promise<number>;
}

/** The status line of the first answer in a text; 0 where there is none. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
}

/** A GET in absolute form. */
export function get(url: string, host = new URL(url).host, fields = ''): string {
  return `GET ${url} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
}

export interface FieldOptions extends LabOptions {
  /** Header lines without which a request of the lab is turned away. */
  readonly bystander?: string;
  /** Settings that name the port of the far side. */
  readonly settingsFor?: (port: number) => Readonly<Record<string, unknown>>;
}

/** One lab for the cases of a file. */
export function openField(options: FieldOptions = {}): () => Field {
  let field: Field | null = null;
  beforeAll(async () => {
    const far = await openFarSide();
    const settings = { ...options.settings, ...options.settingsFor?.(far.port) };
    const lab = await startLab({
      policy: options.policy ?? fieldPolicy,
      settings: { vendors: inject('vendorsAndAcme'), ...settings },
      ...(options.now !== undefined && { now: options.now }),
    });
    const send = async (bytes: string | Uint8Array): Promise<string> => {
      const client = await connectRaw(lab.proxyPort, bytes);
      const whole = client.until(/^HTTP\/1\.1 \d{3} [^]*?\r\n\r\n/).catch(() => '');
      await Promise.race([client.ended, whole]);
      const text = client.seen();
      client.socket.destroy();
      return text;
    };
    const at = (host: string): string => `${host}:${far.port}`;
    const logged = async (count: number, run: () => Promise<unknown>): Promise<readonly LogLine[]> => {
      // A connection's line is written when it has ended, and in a batch: those of before are waited for, and a mark
      // after them.
      await noneOpen(lab);
      const mark = `/mark-${randomUUID()}`;
      await send(get(`http://refused.test${mark}`, 'refused.test', `${options.bystander ?? ''}Connection: close\r\n`));
      await eventually('the line of the mark', () => JSON.stringify(lab.lines()).includes(mark));
      const before = lab.lines().length;
      await run();
      await eventually(`${count} log lines`, () => lab.lines().length >= before + count);
      return lab.lines().slice(before);
    };
    field = {
      bystander: options.bystander ?? '',
      lab,
      far,
      at,
      send,
      logged,
      status: async (bytes) => statusOf(await send(bytes)),
    };
  });
  afterAll(async () => {
    await field?.lab.close();
    field?.far.close();
  });
  return () => {
    if (field === null) throw new Error('there is no field outside of a test');
    return field;
  };
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Waits until the proxy holds no connection and no tunnel; fails after ten seconds. */
async function noneOpen(lab: Lab): Promise<void> {
  const opened = /^sallyport_(?:tunnels|connections)_open [1-9].*$/gm;
  let left: readonly string[] = ['not asked yet'];
  const asked = performance.now();
  while (left.length > 0 && performance.now() - asked < 10_000) left = (await lab.metrics()).match(opened) ?? [];
  expect(left, 'what is left open').toEqual([]);
}

/**
 * What holds after every case: the proxy serves, nothing is left open, nobody was surprised, no denied name got out.
 */
async function aftermath({ bystander, lab, far, at, send }: Field, before: number): Promise<void> {
  const leaked = far.requests().filter((request) => / (?:[\w.-]+\.)?deny\.test(?::\d+)? /.test(request));
  expect(leaked, 'requests for a denied name at the origin').toEqual([]);
  const answer = await send(get(`http://${at('ok.test')}/`, at('ok.test'), `${bystander}Connection: close\r\n`));
  expect(statusOf(answer), 'a bystander is served').toBe(200);
  await noneOpen(lab);
  // Connections to the origin are kept for more requests; each has four ends in this process.
  await eventually('the descriptors of before', () => descriptors() <= before + 8 + 4 * far.open.size);
  expect(
    lab.told.filter((line) => /internal error|uncaught/.test(line)),
    'internal errors',
  ).toEqual([]);
}

/**
 * One case of the table in docs/security.md, which is made from these calls: number, evasion and outcome are literals.
 *
 * @param number of the case, from 1.
 * @param evasion what is tried.
 * @param outcome what happens.
 * @param timeout milliseconds that it may take.
 * @param missing what this machine has not got, and the case needs; it is skipped and says so.
 */
export function attack(
  field: () => Field,
  number: number,
  evasion: string,
  outcome: string,
  run: (field: Field) => Promise<void>,
  timeout = 60_000,
  missing: string | null = null,
): void {
  const star = starred.has(number) ? ' ★' : '';
  const skipped = missing === null ? '' : ` (skipped: there is no ${missing})`;
  test.skipIf(missing !== null)(`case ${number}${star}: ${evasion} => ${outcome}${skipped}`, { timeout }, async () => {
    const here = field();
    here.far.forget();
    const before = descriptors();
    // What is registered first runs last: the clients of the case are gone by then.
    onTestFinished(() => aftermath(here, before));
    await run(here);
  });
}

/** A case that other tests are about: their files, from `test/`. */
export function testedIn(number: number, evasion: string, outcome: string, ...files: readonly string[]): void {
  test.each(files)(`case ${number}: ${evasion} => ${outcome}: %s`, (file) => {
    expect(readFileSync(join(repository, 'test', file), 'utf8')).toMatch(/^test(?:\.each)?\(/m);
  });
}

/** A case that cannot be run here; `why` says what holds in its place. */
export function cannotRun(number: number, evasion: string, why: string): void {
  test.skip(`case ${number}: ${evasion} => ${why}`);
}
