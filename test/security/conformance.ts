/**
 * What RFC 9113 and RFC 7541 ask of a server, one sequence of frames and one outcome each; in the order of the
 * sections.
 */
import { block, frame, getBlock, type } from '../support/frames.ts';

/**
 * `connection`: GOAWAY with an error, or the end. `stream`: that, or RST_STREAM. `answer`: HEADERS come. `pong`: the
 * PING that is sent after the sequence is answered, and nothing else is refused.
 */
export type Due = 'connection' | 'stream' | 'answer' | 'pong';

export type Check = readonly [
  section: string,
  name: string,
  due: Due,
  frames: (authority: string) => readonly Buffer[],
];

const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const PADDED = 8;
const PRIORITY = 0x20;
const WHOLE = END_HEADERS | END_STREAM;

const bytes = (...all: readonly number[]): Buffer => Buffer.from(all);
const four = (value: number): Buffer => {
  const made = Buffer.alloc(4);
  made.writeUInt32BE(value >>> 0);
  return made;
};
const setting = (id: number, value: number): Buffer => Buffer.concat([bytes(id >> 8, id & 255), four(value)]);
const settings = (id: number, value: number): Buffer => frame(type.settings, 0, 0, setting(id, value));
const ask = (host: string, flags = WHOLE, stream = 1): Buffer => frame(type.headers, flags, stream, getBlock(host));
const data = (flags: number, stream: number, payload: Uint8Array = Buffer.from('x')): Buffer =>
  frame(type.data, flags, stream, payload);
const rst = (stream: number): Buffer => frame(type.rst, 0, stream, four(8));
const more = (flags: number, stream: number): Buffer => frame(type.more, flags, stream, block([['x-a', 'b']]));
const window = (stream: number, by: number): Buffer => frame(type.window, 0, stream, four(by));
const priority = (stream: number, on: number): Buffer =>
  frame(type.priority, 0, stream, Buffer.concat([four(on), bytes(15)]));

/** A request of these fields and no others; the pseudo-fields of a good one are `good`. */
const asked = (fields: readonly (readonly [string, string])[], flags = WHOLE): Buffer =>
  frame(type.headers, flags, 1, block(fields));
const good = (host: string): [string, string][] => [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', host],
];
const without = (host: string, name: string): [string, string][] => good(host).filter(([known]) => known !== name);
const posted = (host: string, length: number): Buffer =>
  asked([[':method', 'POST'], ...without(host, ':method'), ['content-length', String(length)]], END_HEADERS);
/** A good request whose block ends in these bytes. */
const raw = (host: string, ...tail: readonly number[]): Buffer =>
  frame(type.headers, WHOLE, 1, Buffer.concat([getBlock(host), bytes(...tail)]));

export const checks: readonly Check[] = [
  ['9113 4.1', 'a frame of an unknown type', 'pong', () => [frame(0xff, 0, 0, Buffer.alloc(8))]],
  ['9113 4.1', 'flags that are not defined', 'pong', () => [frame(type.ping, 0xfe, 0, Buffer.alloc(8))]],
  ['9113 4.1', 'the reserved bit', 'pong', () => [frame(type.ping, 0, 0x80000000, Buffer.alloc(8))]],
  ['9113 4.2', 'DATA of 16,384', 'answer', (h) => [ask(h, END_HEADERS), data(END_STREAM, 1, Buffer.alloc(16_384))]],
  ['9113 4.2', 'DATA of 16,385', 'stream', (h) => [ask(h, END_HEADERS), data(END_STREAM, 1, Buffer.alloc(16_385))]],
  ['9113 4.2', 'HEADERS of 16,385', 'connection', () => [frame(type.headers, WHOLE, 1, Buffer.alloc(16_385))]],
  ['9113 4.3', 'a block that cannot be decoded', 'connection', () => [frame(type.headers, WHOLE, 1, bytes(0x40))]],
  ['9113 4.3', 'PRIORITY inside a block', 'connection', (h) => [ask(h, END_STREAM), priority(1, 0)]],
  ['9113 4.3', 'HEADERS of another inside a block', 'connection', (h) => [ask(h, END_STREAM), ask(h, WHOLE, 3)]],
  ['9113 5.1', 'idle: DATA', 'connection', () => [data(END_STREAM, 1)]],
  ['9113 5.1', 'idle: RST_STREAM', 'connection', () => [rst(1)]],
  ['9113 5.1', 'idle: WINDOW_UPDATE', 'connection', () => [window(1, 100)]],
  ['9113 5.1', 'idle: CONTINUATION', 'connection', () => [more(END_HEADERS, 1)]],
  ['9113 5.1', 'half closed: DATA', 'stream', (h) => [ask(h), data(END_STREAM, 1)]],
  ['9113 5.1', 'half closed: HEADERS', 'stream', (h) => [ask(h), ask(h)]],
  ['9113 5.1', 'half closed: CONTINUATION', 'connection', (h) => [ask(h), more(END_HEADERS, 1)]],
  ['9113 5.1', 'reset: DATA', 'stream', (h) => [ask(h, END_HEADERS), rst(1), data(END_STREAM, 1)]],
  ['9113 5.1', 'reset: HEADERS', 'stream', (h) => [ask(h, END_HEADERS), rst(1), ask(h)]],
  ['9113 5.1', 'reset: CONTINUATION', 'connection', (h) => [ask(h, END_HEADERS), rst(1), more(END_HEADERS, 1)]],
  ['9113 5.1.1', 'a stream with an even number', 'connection', (h) => [ask(h, WHOLE, 2)]],
  ['9113 5.1.1', 'a number smaller than the last', 'connection', (h) => [ask(h, WHOLE, 5), ask(h, WHOLE, 3)]],
  [
    '9113 5.4.1',
    'GOAWAY before the end, for a bad PING',
    'connection',
    () => [frame(type.ping, 0, 3, Buffer.alloc(8))],
  ],
  ['9113 5.5', 'an unknown frame inside a block', 'connection', (h) => [ask(h, END_STREAM), frame(0xff, 0, 1)]],
  ['9113 6.1', 'DATA on stream 0', 'connection', () => [data(END_STREAM, 0)]],
  ['9113 6.1', 'DATA after its end', 'stream', (h) => [ask(h, END_HEADERS), data(END_STREAM, 1), data(END_STREAM, 1)]],
  ['9113 6.1', 'more padding than DATA', 'connection', (h) => [ask(h, END_HEADERS), data(PADDED | 1, 1, bytes(6, 1))]],
  ['9113 6.2', 'HEADERS on stream 0', 'connection', (h) => [ask(h, WHOLE, 0)]],
  ['9113 6.2', 'more padding than HEADERS', 'connection', () => [frame(type.headers, WHOLE | PADDED, 1, bytes(9, 1))]],
  [
    '9113 6.2',
    'padding and priority',
    'answer',
    (h) => [
      frame(
        type.headers,
        WHOLE | PADDED | PRIORITY,
        1,
        Buffer.concat([bytes(3), four(0), bytes(15), getBlock(h), Buffer.alloc(3)]),
      ),
    ],
  ],
  ['9113 6.3', 'PRIORITY on stream 0', 'connection', () => [priority(0, 1)]],
  ['9113 6.3', 'PRIORITY of 4 bytes', 'stream', () => [frame(type.priority, 0, 1, Buffer.alloc(4))]],
  ['9113 6.3', 'PRIORITY for what is idle', 'pong', () => [priority(1, 0)]],
  ['9113 6.4', 'RST_STREAM on stream 0', 'connection', () => [rst(0)]],
  ['9113 6.4', 'RST_STREAM of 3 bytes', 'connection', (h) => [ask(h), frame(type.rst, 0, 1, Buffer.alloc(3))]],
  ['9113 6.4', 'a code that is unknown', 'pong', (h) => [ask(h, END_HEADERS), frame(type.rst, 0, 1, four(0xff))]],
  ['9113 6.5', 'SETTINGS', 'pong', () => [settings(3, 100)]],
  ['9113 6.5', 'ACK with a payload', 'connection', () => [frame(type.settings, ACK, 0, setting(3, 100))]],
  ['9113 6.5', 'SETTINGS on stream 1', 'connection', () => [frame(type.settings, 0, 1, setting(3, 100))]],
  ['9113 6.5', 'SETTINGS of 3 bytes', 'connection', () => [frame(type.settings, 0, 0, Buffer.alloc(3))]],
  ['9113 6.5.2', 'ENABLE_PUSH of 2', 'connection', () => [settings(2, 2)]],
  ['9113 6.5.2', 'INITIAL_WINDOW_SIZE of 2^31', 'connection', () => [settings(4, 2 ** 31)]],
  ['9113 6.5.2', 'MAX_FRAME_SIZE of 16,383', 'connection', () => [settings(5, 16_383)]],
  ['9113 6.5.2', 'MAX_FRAME_SIZE of 2^24', 'connection', () => [settings(5, 2 ** 24)]],
  ['9113 6.5.2', 'a setting that is unknown', 'pong', () => [settings(0xff, 1)]],
  ['9113 6.6', 'PUSH_PROMISE of a client', 'connection', (h) => [frame(type.push, WHOLE, 1, getBlock(h))]],
  ['9113 6.7', 'PING with ACK, of which nobody knows', 'pong', () => [frame(type.ping, ACK, 0, Buffer.alloc(8, 7))]],
  ['9113 6.7', 'PING on stream 1', 'connection', () => [frame(type.ping, 0, 1, Buffer.alloc(8))]],
  ['9113 6.7', 'PING of 6 bytes', 'connection', () => [frame(type.ping, 0, 0, Buffer.alloc(6))]],
  ['9113 6.8', 'GOAWAY on stream 1', 'connection', () => [frame(type.goaway, 0, 1, Buffer.alloc(8))]],
  ['9113 6.9', 'WINDOW_UPDATE by 0', 'connection', () => [window(0, 0)]],
  ['9113 6.9', 'WINDOW_UPDATE by 0 of a stream', 'stream', (h) => [ask(h, END_HEADERS), window(1, 0)]],
  ['9113 6.9', 'WINDOW_UPDATE of 3 bytes', 'connection', () => [frame(type.window, 0, 0, Buffer.alloc(3))]],
  ['9113 6.9.1', 'a window above 2^31-1', 'connection', () => [window(0, 2 ** 31 - 1), window(0, 2 ** 31 - 1)]],
  [
    '9113 6.9.1',
    'a window of a stream above 2^31-1',
    'stream',
    (h) => [ask(h, END_HEADERS), window(1, 2 ** 31 - 1), window(1, 2 ** 31 - 1)],
  ],
  [
    '9113 6.10',
    'two CONTINUATIONs',
    'answer',
    (h) => [ask(h, END_STREAM), more(0, 1), frame(type.more, END_HEADERS, 1, block([['x-b', 'c']]))],
  ],
  ['9113 6.10', 'DATA between', 'connection', (h) => [ask(h, END_STREAM), more(0, 1), data(0, 1)]],
  ['9113 6.10', 'CONTINUATION on stream 0', 'connection', (h) => [ask(h, END_STREAM), more(END_HEADERS, 0)]],
  ['9113 6.10', 'after END_HEADERS', 'connection', (h) => [ask(h, END_HEADERS), more(END_HEADERS, 1)]],
  ['9113 8.1', 'a second HEADERS without an end', 'stream', (h) => [ask(h, END_HEADERS), ask(h, END_HEADERS)]],
  ['9113 8.2.1', 'a name in capitals', 'stream', (h) => [asked([...good(h), ['X-TEST', 'a']])]],
  ['9113 8.2.1', 'a line end in a value', 'stream', (h) => [asked([...good(h), ['x-test', 'a\r\nb: c']])]],
  ['9113 8.2.1', 'a colon in a name', 'stream', (h) => [asked([...good(h), ['x:y', 'a']])]],
  ['9113 8.2.2', 'Connection', 'stream', (h) => [asked([...good(h), ['connection', 'keep-alive']])]],
  ['9113 8.2.2', 'Transfer-Encoding', 'stream', (h) => [asked([...good(h), ['transfer-encoding', 'chunked']])]],
  ['9113 8.2.2', 'TE that is not trailers', 'stream', (h) => [asked([...good(h), ['te', 'trailers, deflate']])]],
  ['9113 8.3', 'an unknown pseudo-field', 'stream', (h) => [asked([...good(h), [':test', 'a']])]],
  ['9113 8.3', ':status in a request', 'stream', (h) => [asked([...good(h), [':status', '200']])]],
  [
    '9113 8.1',
    'a pseudo-field in trailers',
    'stream',
    (h) => [ask(h, END_HEADERS), data(0, 1), asked([[':method', 'GET']])],
  ],
  [
    '9113 8.3',
    'a pseudo-field after others',
    'stream',
    (h) => [asked([...without(h, ':path'), ['x', 'y'], [':path', '/']])],
  ],
  ['9113 8.3.1', 'an empty :path', 'stream', (h) => [asked([...without(h, ':path'), [':path', '']])]],
  ['9113 8.3.1', 'no :method', 'stream', (h) => [asked(without(h, ':method'))]],
  ['9113 8.3.1', 'no :scheme', 'stream', (h) => [asked(without(h, ':scheme'))]],
  ['9113 8.3.1', 'no :path', 'stream', (h) => [asked(without(h, ':path'))]],
  ['9113 8.3.1', 'two :method', 'stream', (h) => [asked([[':method', 'GET'], ...good(h)])]],
  ['9113 8.3.1', 'two :scheme', 'stream', (h) => [asked([[':scheme', 'https'], ...good(h)])]],
  ['9113 8.3.1', 'two :path', 'stream', (h) => [asked([[':path', '/'], ...good(h)])]],
  ['9113 8.1.1', 'Content-Length less than DATA', 'stream', (h) => [posted(h, 1), data(END_STREAM, 1, bytes(1, 2, 3))]],
  ['9113 8.1.1', 'Content-Length more than DATA', 'stream', (h) => [posted(h, 9), data(END_STREAM, 1, bytes(1, 2, 3))]],
  ['7541 2.3.3', 'an index beyond the tables', 'connection', (h) => [raw(h, 0xfe)]],
  ['7541 2.3.3', 'a literal whose name is beyond them', 'connection', (h) => [raw(h, 0x7e, 1, 0x61)]],
  ['7541 4.2', 'a size update after fields', 'connection', (h) => [raw(h, 0x20)]],
  ['7541 5.2', 'Huffman padding of more than 7 bits', 'connection', (h) => [raw(h, 0, 0x82, 0x1f, 0xff, 1, 0x61)]],
  ['7541 5.2', 'Huffman padding of zeros', 'connection', (h) => [raw(h, 0, 0x81, 0x18, 1, 0x61)]],
  ['7541 5.2', 'Huffman with EOS', 'connection', (h) => [raw(h, 0, 0x84, 0xff, 0xff, 0xff, 0xff, 1, 0x61)]],
  ['7541 6.1', 'index 0', 'connection', (h) => [raw(h, 0x80)]],
  [
    '7541 6.3',
    'a table larger than was offered',
    'connection',
    () => [frame(type.headers, WHOLE, 1, bytes(0x3f, 0xe1, 0xff, 3))],
  ],
];
