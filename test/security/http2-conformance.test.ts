/** HTTP/2 inside intercepted tunnels, held to what the RFCs ask of any server. */
import { createSecureServer } from 'node:http2';
import { connect as connectSocket, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { certificateOfTest } from '../support/origins.ts';
import { frame, frameClient, framesOver, type, type FrameClient } from '../support/frames.ts';
import { tlsOver } from '../support/tunnels.ts';
import { checks, type Check, type Due } from './conformance.ts';
import { attack, openField } from './field.ts';

const field = openField();
const MARK = Buffer.from('the last');

/** What came of a sequence so far; the strictest first. */
function verdict(client: FrameClient): Due | null {
  const seen = client.frames();
  const has = (kind: number, wanted: (flags: number, code: number) => boolean = () => true): boolean =>
    seen.some(([known, flags, , code]) => known === kind && wanted(flags, code));
  if (has(type.goaway, (_flags, code) => code !== 0) || !client.alive()) return 'connection';
  if (has(type.rst, (_flags, code) => code !== 0)) return 'stream';
  if (has(type.headers)) return 'answer';
  return null;
}

const good: Record<Due, readonly (Due | null)[]> = {
  connection: ['connection'],
  stream: ['connection', 'stream'],
  answer: ['answer'],
  pong: [null, 'answer'],
};

/** Sends one sequence, then a PING, and waits for what is due; null where that comes. */
async function failure([section, name, due, frames]: Check, client: FrameClient, host: string): Promise<string | null> {
  for (const bytes of frames(host)) client.write(bytes);
  client.write(frame(type.ping, 0, 0, MARK));
  const until = performance.now() + 3_000;
  const pongs = (): number => client.frames().filter(([kind, flags]) => kind === type.ping && flags === 1).length;
  const isDone = (): boolean =>
    due === 'pong' ? verdict(client) !== null || pongs() > 0 : good[due].includes(verdict(client));
  while (!isDone() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
  const came = verdict(client);
  const isGood = good[due].includes(came) && (due !== 'pong' || pongs() > 0);
  return isGood ? null : `${section} ${name}: ${came ?? 'nothing'} instead of ${due}`;
}

/** The HTTP/2 of Node.js alone. */
async function bare(): Promise<{ open: () => Promise<FrameClient>; close: () => void }> {
  const { key, cert } = certificateOfTest('deny.test');
  const server = createSecureServer({ key, cert }, (_req, res) => res.end('here'));
  server.on('sessionError', () => undefined).on('tlsClientError', () => undefined);
  // It lets go of few of those that ended in an error.
  const accepted = new Set<Socket>();
  server.on('connection', (socket: Socket) => accepted.add(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const open = async (): Promise<FrameClient> => {
    const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => undefined);
    return framesOver(await tlsOver(socket, { ca: cert, servername: 'deny.test', ALPNProtocols: ['h2'] }));
  };
  return { open, close: () => accepted.forEach((socket) => socket.destroy()) };
}

attack(
  field,
  93,
  'What RFC 9113 and RFC 7541 ask of a server, in 86 sequences of frames, one for each clause',
  'as asked, but for those that the HTTP/2 of Node.js alone fails in the same run',
  async (here) => {
    expect(checks).toHaveLength(86);
    const host = here.at('deny.test');
    const direct = await bare();
    const ours: string[] = [];
    const theirs: string[] = [];
    const run = async (check: Check): Promise<void> => {
      const [one, other] = await Promise.all([frameClient(here.lab, host, 'deny.test'), direct.open()]);
      const [our, their] = await Promise.all([failure(check, one, host), failure(check, other, host)]);
      one.close();
      other.close();
      if (our !== null) ours.push(our);
      if (their !== null) theirs.push(their);
    };
    // Several at once: those that fail wait for what does not come.
    for (let at = 0; at < checks.length; at += 15) await Promise.all(checks.slice(at, at + 15).map(run));
    direct.close();
    expect(ours.filter((line) => !theirs.includes(line))).toEqual([]);
  },
  120_000,
);
