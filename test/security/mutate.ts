/** Mutations of raw requests, from a seed, so that a run can be repeated. */

export type Random = () => number;

/** Mulberry32: small, and good enough to pick mutations by. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes that parsers disagree about. */
const odd = [
  ...['\0', '\r', '\n', '\r\n', '\r\n\r\n', '\t', ' ', ':', '@', '/', '\\', '#', '?', '%00', '%2e', '..', ',', ';'],
  ...[
    '\x0b',
    '\x7f',
    '\xa0',
    '\xff',
    'ä',
    '🦊',
    '[::1]',
    '0x7f.1',
    '-1',
    '+3',
    '99999999999999999999',
    'chunked',
    'identity',
  ],
  ...['Host: deny.test', 'Content-Length: 5', 'Transfer-Encoding: chunked', 'Connection: close', 'Upgrade: websocket'],
  ...[
    'HTTP/1.0',
    'HTTP/2.0',
    'CONNECT ',
    'GET ',
    'deny.test',
    'ok.test',
    '0\r\n\r\n',
    'Expect: 100-continue',
    '\x16\x03\x01',
  ],
];

type Mutation = (bytes: Buffer, random: Random) => Buffer;

function at(bytes: Buffer, random: Random): number {
  return Math.floor(random() * (bytes.length + 1));
}

function span(bytes: Buffer, random: Random): readonly [number, number] {
  const [a, b] = [at(bytes, random), at(bytes, random)];
  return a < b ? [a, Math.min(b, a + 64)] : [b, Math.min(a, b + 64)];
}

const mutations: readonly Mutation[] = [
  function flip(bytes, random) {
    const copy = Buffer.from(bytes);
    const index = Math.min(copy.length - 1, at(bytes, random));
    if (index >= 0) copy[index] = Math.floor(random() * 256);
    return copy;
  },
  function insert(bytes, random) {
    const place = at(bytes, random);
    const text = odd[Math.floor(random() * odd.length)] ?? '';
    return Buffer.concat([bytes.subarray(0, place), Buffer.from(text, 'latin1'), bytes.subarray(place)]);
  },
  function remove(bytes, random) {
    const [from, to] = span(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  function repeat(bytes, random) {
    const [from, to] = span(bytes, random);
    const times = 1 + Math.floor(random() * 8);
    return Buffer.concat([
      bytes.subarray(0, to),
      ...Array<Buffer>(times).fill(bytes.subarray(from, to)),
      bytes.subarray(to),
    ]);
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, at(bytes, random));
  },
];

/** One to four mutations, one after the other. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let result = bytes;
  for (let left = 1 + Math.floor(random() * 4); left > 0; left -= 1)
    result = (mutations[Math.floor(random() * mutations.length)] ?? mutations[0])?.(result, random) ?? result;
  return result;
}
