/** Requests that wait for their turn, and answers that nobody takes: what they hold, and what is recorded of them. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { frame, frameClient, getBlock, type, type FrameClient } from '../support/frames.ts';
import { connectRaw, eventually, exchange } from '../support/streams.ts';
import { askInside } from '../support/tunnels.ts';
import { attack, get, openField, statusOf } from './field.ts';

const field = openField();

const fields = (count: number): string => Array.from({ length: count }, (_, i) => `a${i}:\r\n`).join('');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that something still leads to. */
function kept(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

attack(
  field,
  202,
  'Pipelined requests with all the fields that a head has room for; 2,000 of them in a request, in a WebSocket and inside TLS',
  'a head has 200 lines, or 431; what waits holds 4 MiB on a connection, which is then reset, and bystanders are served',
  async (here) => {
    const { lab, far, at, logged } = here;
    const [ok, deny] = [at('ok.test'), at('deny.test')];
    const upgrade = 'Connection: Upgrade\r\nUpgrade: ';
    const heads = [
      get(`http://${ok}/`, ok, fields(199)),
      get(`http://${ok}/`, ok, fields(1_800)),
      get(`http://${ok}/`, ok, `${upgrade}websocket\r\n${fields(1_800)}`),
      get(`http://${ok}/`, ok, `${upgrade}h2c\r\n${fields(1_800)}Content-Length: 5\r\n`),
      get(`http://${ok}/`, ok, `${fields(1_800)}Host: ${deny}\r\n`),
      get(`http://${ok}/`, ok, `${fields(1_800)}${upgrade}websocket\r\n`),
    ];
    const lines = await logged(heads.length, async () => {
      for (const head of heads) expect(statusOf(await exchange(lab.proxyPort, head))).toBe(431);
    });
    expect(lines.map(({ sallyport }) => sallyport['error'])).toEqual(heads.map(() => 'header_too_large'));
    const many = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`a${i}`, '']));
    const inside = await askInside(lab.proxyPort, lab.ca, `https://${deny}/`, { headers: many });
    expect(inside.status).toBe(431);
    expect(far.bytes()).toBe('');
    expect(await here.status(get(`http://${ok}/`, ok, fields(190)))).toBe(200);

    far.speakRaw((socket) => void socket.on('end', () => socket.end()));
    const one = get(`http://${ok}/`, ok, fields(190));
    const before = process.memoryUsage().rss;
    const floods = await Promise.all(Array.from({ length: 20 }, () => connectRaw(lab.proxyPort, one.repeat(900))));
    for (const { ended } of floods) expect((await ended).how).toBe('reset');
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
    await eventually('nothing is open at the origin', () => far.open.size === 0);
  },
  60_000,
);

attack(
  field,
  203,
  'HTTP/2 sessions of 100 streams each, whose clients never open their windows, and 150 fields in each request',
  'a session costs 2 MB and not 8, and none is left after seconds',
  async ({ lab, at }) => {
    const more = Array.from({ length: 150 }, (_, i) => [`x${i}`, 'a'.repeat(60)] as const);
    const navigation = ['sec-fetch-mode', 'navigate'] as const;
    const request = getBlock(at('deny.test'), [navigation, ...more]);
    const settings = Buffer.from([0, 4, 0, 0, 0, 0]); // SETTINGS_INITIAL_WINDOW_SIZE: 0
    const sessions = 20;
    const before = kept();
    const clients: FrameClient[] = [];
    for (let i = 0; i < sessions; i += 1) {
      const client = await frameClient(lab, at('deny.test'), 'deny.test');
      clients.push(client);
      client.write(frame(type.settings, 0, 0, settings));
      for (let stream = 1; stream < 200; stream += 2) client.write(frame(type.headers, 5, stream, request));
    }
    // On a slow machine a session may be gone before its last answers.
    for (const { frames, alive } of clients)
      await eventually(
        'the answers',
        () => !alive() || frames().filter(([kind]) => kind === type.headers).length === 100,
      );
    expect((kept() - before) / sessions).toBeLessThan(3 << 20);
    for (const { gone } of clients) await gone(8_000);
  },
  60_000,
);

attack(
  field,
  204,
  'In one segment with a request that is not answered yet: a CONNECT, a WebSocket and a wish for h2c, all for a denied host',
  'each waits for its turn, is decided as if it had come by itself, and has a line of its own',
  async ({ lab, far, at, logged }) => {
    const [ok, deny] = [at('ok.test'), at('deny.test')];
    const upgrade = (protocol: string): string =>
      `Connection: Upgrade\r\nUpgrade: ${protocol}\r\nSec-WebSocket-Key: a\r\n`;
    far.answerWith((_req, res) => void setTimeout(() => res.end('the origin'), 50));
    const ask = async (next: string): Promise<string> => {
      const { until, ended, socket } = await connectRaw(lab.proxyPort, get(`http://${ok}/1`) + next);
      await until(/the origin[^]*HTTP\/1\.1 [^]*\r\n\r\n/);
      socket.end();
      return (await ended).text.split('the origin')[1] ?? '';
    };
    const behind = [
      `CONNECT ${deny} HTTP/1.1\r\nHost: ${deny}\r\n\r\n`,
      get(`http://${deny}/ws`, deny, upgrade('websocket')),
      get(`http://${deny}/h2`, deny, upgrade('h2c')),
      'CONNECT nowhere HTTP/1.1\r\nHost: nowhere\r\n\r\n',
    ];
    const answers: string[] = [];
    const lines = await logged(2 * behind.length, async () => {
      for (const next of behind) answers.push(await ask(next));
    });
    expect(answers.map(statusOf)).toEqual([200, 101, 403, 400]);
    const told = lines.map(({ event, url }) => [event.action, url?.domain, url?.path].join(' '));
    expect(told.filter((line) => line === 'request-passed ok.test /1')).toHaveLength(behind.length);
    for (const line of ['tunnel-blocked deny.test ', 'upgrade-blocked deny.test /ws', 'request-blocked deny.test /h2'])
      expect(told).toContain(line);
    expect(told).toContain('arrival-rejected  ');
    expect(far.requests()).toEqual(behind.map(() => `GET ${ok} /1`));
  },
);

attack(
  field,
  210,
  'Pipelined requests whose bodies come in chunks of one byte, behind one that is never answered',
  'what waits holds little more memory than its bytes',
  async (here) => {
    here.far.speakRaw((socket) => socket.on('end', () => socket.end()));
    const name = here.at('ok.test');
    const chunks = '1\r\nA\r\n'.repeat(15_000);
    const post = `POST http://${name}/ HTTP/1.1\r\nHost: ${name}\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
    const before = kept();
    const client = await connectRaw(here.lab.proxyPort, get(`http://${name}/`) + post.repeat(60));
    await eventually('all is read', () => client.socket.writableLength === 0);
    // They would hold 3 MB each as they come.
    expect(kept() - before).toBeLessThan(30 << 20);
    client.socket.destroy();
    await eventually('nothing is open at the origin', () => here.far.open.size === 0);
  },
);
