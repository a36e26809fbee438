import { describe, expect, test } from 'vitest';
import { elements, encode, integer, octets, oid, sequence, time, utf8, wrap } from '../../src/certificates/der.ts';

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('time', () => {
  test.each([
    ['2026-07-10T00:00:01Z', '170d3236303731303030303030315a'],
    ['2049-12-31T23:59:59Z', '170d3439313233313233353935395a'],
    ['2050-01-01T00:00:00Z', '180f32303530303130313030303030305a'],
  ])('%s', (at, expected) => {
    expect(hex(encode(time(Date.parse(at))))).toBe(expected);
  });
});

test.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])('%i octets are wrapped and read back', (length) => {
  const value = Buffer.alloc(length, 7);
  const whole = wrap(0x04, value);
  expect(whole.equals(encode(octets(value)))).toBe(true);
  const [first, second] = elements(Buffer.concat([whole, Buffer.from([0x05, 0x00])]));
  expect(first?.value.equals(value)).toBe(true);
  expect(first?.whole.equals(whole)).toBe(true);
  expect(second?.tag).toBe(5);
});

test('text is UTF-8, octets stay octets', () => {
  const der = encode(sequence(oid('2.5.4.3'), utf8('Größe 𠮷'), integer(Uint8Array.of(0x7f, 0xff))));
  expect(elements(elements(der)[0]?.value ?? Buffer.of()).map(({ value }) => value)).toEqual([
    Buffer.from([0x55, 0x04, 0x03]),
    Buffer.from('Größe 𠮷', 'utf8'),
    Buffer.from([0x7f, 0xff]),
  ]);
});

test.each(['0405aabb', '30', '3085', '308401'])('%s is cut off: refused', (text) => {
  expect(() => elements(Buffer.from(text, 'hex'))).toThrow(RangeError);
});
