/** HTTP/2 inside intercepted tunnels: floods end their connection, broken messages end their stream. */
import { expect } from 'vitest';
import { block, frame, frameClient, getBlock, type, type FrameClient } from '../support/frames.ts';
import { eventually } from '../support/streams.ts';
import { askHttp2, http2Over, openTunnel } from '../support/tunnels.ts';
import { attack, get, openField, statusOf, type Field } from './field.ts';

const field = openField();

function client({ lab, at }: Field): Promise<FrameClient> {
  return frameClient(lab, at('deny.test'), 'deny.test');
}

/** Writes frames in batches until all are out or the connection is gone. */
async function flood(target: FrameClient, count: number, make: (i: number) => Buffer): Promise<void> {
  for (let i = 0; i < count && target.alive(); i += 200) {
    target.write(Buffer.concat(Array.from({ length: 200 }, (_, k) => make(i + k))));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const END_STREAM = 1;
const END_HEADERS = 4;

attack(
  field,
  92,
  '20,000 frames of a kind: HEADERS with RST_STREAM, CONTINUATION without end, PING, SETTINGS, empty DATA, bad WINDOW_UPDATE, PRIORITY',
  'the connection is gone, or the frames cost nothing; bystanders are served meanwhile',
  async (here) => {
    const authority = here.at('deny.test');
    const four = (value: number): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value >>> 0);
      return bytes;
    };
    const stream = (i: number): number => 1 + 2 * i;
    const kinds: Record<
      string,
      { readonly make: (i: number) => Buffer; readonly ends: boolean; readonly first?: Buffer }
    > = {
      'rapid reset': {
        make: (i) =>
          Buffer.concat([
            frame(type.headers, END_HEADERS | END_STREAM, stream(i), getBlock(authority)),
            frame(type.rst, 0, stream(i), four(8)),
          ]),
        ends: true,
      },
      continuation: {
        first: frame(type.headers, END_STREAM, 1, getBlock(authority)),
        make: (i) => frame(type.more, 0, 1, block([[`x-${i}`, 'y'.repeat(100)]])),
        ends: true,
      },
      ping: { make: () => frame(type.ping, 0, 0, Buffer.alloc(8)), ends: false },
      settings: { make: () => frame(type.settings, 0, 0), ends: false },
      'empty data': {
        first: frame(type.headers, END_HEADERS, 1, getBlock(authority)),
        make: () => frame(type.data, 0, 1),
        ends: false,
      },
      'window update of 0': {
        first: frame(type.headers, END_HEADERS, 1, getBlock(authority)),
        make: () => frame(type.window, 0, 1, four(0)),
        ends: false,
      },
      'window overflow': { make: () => frame(type.window, 0, 0, four(0x7fffffff)), ends: true },
      priority: {
        make: (i) => frame(type.priority, 0, stream(i), Buffer.concat([four(0), Buffer.from([1])])),
        ends: false,
      },
    };
    const before = process.memoryUsage().rss;
    for (const [name, { make, ends, first }] of Object.entries(kinds)) {
      const target = await client(here);
      if (first !== undefined) target.write(first);
      await flood(target, 20_000, make);
      if (ends) await target.gone(5_000).catch((error: unknown) => expect.fail(`${name}: ${String(error)}`));
      const answer = await here.send(get(`http://${here.at('ok.test')}/`, undefined, 'Connection: close\r\n'));
      expect(statusOf(answer), name).toBe(200);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(250 << 20);
  },
  60_000,
);

attack(
  field,
  94,
  'Field names in capitals, connection-specific fields, missing, doubled and late pseudo-fields, CR LF NUL in values',
  'RST of the stream or the connection; no answer of 2xx, and nothing reaches an origin',
  async (here) => {
    const authority = here.at('deny.test');
    const blocks: Record<string, Buffer> = {
      capitals: getBlock(authority, [['X-Upper', '1']]),
      connection: getBlock(authority, [['connection', 'close']]),
      te: getBlock(authority, [['te', 'gzip']]),
      'transfer-encoding': getBlock(authority, [['transfer-encoding', 'chunked']]),
      'no method': block([
        [':scheme', 'https'],
        [':path', '/'],
        [':authority', authority],
      ]),
      'two paths': getBlock(authority, [[':path', '/other']]),
      'late pseudo': block([
        ['x', '1'],
        [':method', 'GET'],
        [':scheme', 'https'],
        [':path', '/'],
        [':authority', authority],
      ]),
      'CR LF': getBlock(authority, [['x', 'a\r\nhost: ok.test']]),
      NUL: getBlock(authority, [['x', 'a\0b']]),
      'empty path': block([
        [':method', 'GET'],
        [':scheme', 'https'],
        [':path', ''],
        [':authority', authority],
      ]),
    };
    for (const [name, bytes] of Object.entries(blocks)) {
      const target = await client(here);
      target.write(frame(type.headers, END_HEADERS | END_STREAM, 1, bytes));
      const ended = (): boolean =>
        target.frames().some(([kind]) => kind === type.rst || kind === type.goaway || kind === type.headers);
      await eventually(`an end of "${name}"`, () => !target.alive() || ended());
    }
    expect(here.far.bytes()).toBe('');
  },
);

attack(
  field,
  95,
  'A content-length that DATA does not keep, DATA after the end, HEADERS for a closed stream',
  'RST; the process goes on, and nothing reaches an origin',
  async (here) => {
    const authority = here.at('deny.test');
    const post = block([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':path', '/'],
      [':authority', authority],
      ['content-length', '5'],
    ]);
    const sequences = [
      [frame(type.headers, END_HEADERS, 1, post), frame(type.data, END_STREAM, 1, Buffer.from('0123456789'))],
      [frame(type.headers, END_HEADERS, 1, post), frame(type.data, END_STREAM, 1, Buffer.from('01'))],
      [
        frame(type.headers, END_HEADERS | END_STREAM, 1, getBlock(authority)),
        frame(type.data, 0, 1, Buffer.from('late')),
      ],
      [
        frame(type.headers, END_HEADERS | END_STREAM, 3, getBlock(authority)),
        frame(type.headers, END_HEADERS | END_STREAM, 1, getBlock(authority)),
      ],
    ];
    for (const [i, frames] of sequences.entries()) {
      const target = await client(here);
      for (const bytes of frames) target.write(bytes);
      const ended = (): boolean =>
        target.frames().some(([kind, , stream]) => kind === type.rst || kind === type.goaway || stream === 3);
      await eventually(`the end of sequence ${i}`, () => !target.alive() || ended());
      const answered = target.frames().filter(([kind]) => kind === type.headers);
      expect(answered.length, `answers to sequence ${i}`).toBeLessThanOrEqual(1);
    }
    expect(here.far.bytes()).toBe('');
  },
);

attack(
  field,
  96,
  '100 streams of a client that never opens its window',
  'memory is bounded: answers are small, streams are limited, and reset after two seconds, and the connection goes',
  async (here) => {
    const target = await client(here);
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(4, 0); // SETTINGS_INITIAL_WINDOW_SIZE: 0
    target.write(frame(type.settings, 0, 0, settings));
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 300; i += 1)
      target.write(frame(type.headers, END_HEADERS | END_STREAM, 1 + 2 * i, getBlock(here.at('deny.test'))));
    await eventually('an answer or a refusal of each', () => {
      const told = target.frames().filter(([kind]) => kind === type.rst || kind === type.headers);
      return new Set(told.map(([, , stream]) => stream)).size === 300;
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
    await target.gone(8_000);
    const frames = target.frames();
    const answered = frames.filter(([kind]) => kind === type.headers).map(([, , stream]) => stream);
    expect(answered).toHaveLength(100);
    const canceled = frames.filter(([kind, , , code]) => kind === type.rst && code === 8).map(([, , stream]) => stream);
    expect(canceled).toEqual(expect.arrayContaining(answered));
    expect(frames.some(([kind, , , code]) => kind === type.goaway && code === 0)).toBe(true);
    const answer = await here.send(get(`http://${here.at('ok.test')}/`, undefined, 'Connection: close\r\n'));
    expect(statusOf(answer)).toBe(200);
  },
  20_000,
);

attack(
  field,
  97,
  'A malformed header block, and resets in the middle of one, which once crashed Node.js by an unheard error',
  'that connection ends; others inside other tunnels go on',
  async (here) => {
    const session = await http2Over(
      await openTunnel(here.lab.proxyPort, here.at('deny.test')),
      here.lab.ca,
      'deny.test',
    );
    for (let i = 0; i < 20; i += 1) {
      const target = await client(here);
      target.write(frame(type.headers, END_HEADERS, 1, Buffer.alloc(50, 0xff)));
      target.write(frame(type.headers, 0, 3, getBlock(here.at('deny.test')).subarray(0, 10 + i)));
    }
    const { headers } = await askHttp2(session, { ':authority': here.at('deny.test'), ':path': '/' });
    expect(headers[':status']).toBe(403);
  },
);
