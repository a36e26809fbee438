/**
 * E. Mutated requests over sockets. 20,000 by default; `npm run fuzz` sends a million. FUZZ_SEED repeats a run.
 */
import { connect } from 'node:net';
import { expect } from 'vitest';
import { connectHead } from '../support/tunnels.ts';
import { framed, helloMessage, serverNames } from '../support/hellos.ts';
import { attack, get, openField, statusOf, type Field } from './field.ts';
import { mutate, randomFrom } from './mutate.ts';

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 20_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const CONNECTIONS = 64;
/**
 * Milliseconds that a client waits at least before it gives up; most mutations that are not refused at once are not
 * complete. Where the machine is slow, it is twice what a whole request takes.
 */
const PATIENCE = 60;

// TLS is required behind the port of the far side, as it is behind 443: what is said in the clear in a tunnel for one
// name may be for another.
const field = openField({
  settingsFor: (port) => ({
    limits: { head_timeout: '2s' },
    tunnels: { hello_timeout: '2s', tls_required_ports: [443, port] },
  }),
});

function seeds({ at }: Field): Buffer[] {
  const ok = `http://${at('ok.test')}/path?query=1`;
  const denied = `http://${at('deny.test')}/`;
  const hello = (name: string): Buffer => framed(helloMessage([serverNames([0, name])]));
  const post = (url: string, fields: string, body: string): string =>
    get(url, undefined, fields).replace('GET', 'POST') + body;
  const texts = [
    get(ok),
    get(ok, undefined, 'Connection: close, X-Secret\r\nX-Secret: 1\r\nCookie: a=b\r\n'),
    get(denied),
    get(denied, undefined, 'Accept: text/html\r\n'),
    post(ok, 'Content-Length: 5\r\n', 'hello'),
    post(ok, 'Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n', '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n'),
    post(denied, 'Content-Length: 5\r\nExpect: 100-continue\r\n', 'hello'),
    get(
      ok,
      undefined,
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n',
    ),
    get(ok, undefined, 'Proxy-Authorization: Basic YTpi\r\nMax-Forwards: 3\r\nVia: 1.1 other\r\n'),
    connectHead('refused.test:443', 'User-Agent: curl/8\r\nProxy-Connection: Keep-Alive\r\n'),
    connectHead('10.0.0.1:443'),
    connectHead(at('deny.test')) + get(`http://deny.test/`),
  ];
  return [
    ...texts.map((text) => Buffer.from(text, 'latin1')),
    ...['deny.test', 'ok.test'].map((name) => Buffer.concat([Buffer.from(connectHead(at(name))), hello(name)])),
  ];
}

/** Sends bytes and waits for an end, an answer, or its patience. Gives the status of the first answer. */
function fling(port: number, bytes: Buffer, patience: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let text = '';
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(statusOf(text));
    };
    const timer = setTimeout(done, patience);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', done).on('close', done).on('end', done);
    socket.write(bytes);
  });
}

attack(
  field,
  62,
  'Mutated requests over sockets: 20,000 in every run, a million by `npm run fuzz`',
  'no exit, no status of 5xx but 502 to 505, nobody beside it waits, no denied name gets out',
  async (here) => {
    const random = randomFrom(SEED);
    const from = seeds(here);
    const statuses = new Map<number, number>();
    let left = REQUESTS;
    let patience = PATIENCE;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const bytes = mutate(from[Math.floor(random() * from.length)] ?? Buffer.alloc(0), random);
        const status = await fling(here.lab.proxyPort, bytes, patience);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        expect([500, 501], `seed ${SEED}: ${JSON.stringify(bytes.toString('latin1'))}`).not.toContain(status);
      }
    };
    let slowest = 0;
    const bystander = async (): Promise<void> => {
      const bytes = get(`http://${here.at('ok.test')}/bystander`, undefined, 'Connection: close\r\n');
      while (left > 0) {
        const started = performance.now();
        expect(statusOf(await here.send(bytes)), `seed ${SEED}`).toBe(200);
        const took = performance.now() - started;
        patience = Math.max(PATIENCE, 2 * took);
        slowest = Math.max(slowest, took);
      }
    };
    await Promise.all([bystander(), ...Array.from({ length: CONNECTIONS }, worker)]);
    // The clients are in this process too; a hang is what is looked for, not a delay.
    expect(slowest, `the slowest bystander, ms, seed ${SEED}`).toBeLessThan(10_000);
    expect(
      [...statuses.keys()].toSorted((a, b) => a - b),
      `seed ${SEED}`,
    ).toEqual(expect.arrayContaining([200, 400, 403]));
  },
  600_000 + REQUESTS,
);
