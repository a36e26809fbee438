import { describe, expect, test } from 'vitest';
import { isTimeZone, parseMoment, resolveMoment } from '../../src/config/moment.ts';
import { didYouMean, nearest } from '../../src/config/nearest.ts';
import { parseAllowed, parseCidr } from '../../src/config/network.ts';
import { duration } from '../../src/config/scalars.ts';

describe('moments', () => {
  test.each([
    ['2026-07-10', 'UTC', '2026-07-10T00:00:00Z'],
    ['2026-07-10', 'Europe/Berlin', '2026-07-09T22:00:00Z'],
    ['2026-01-10', 'Europe/Berlin', '2026-01-09T23:00:00Z'],
    ['2026-07-10', 'Asia/Kolkata', '2026-07-09T18:30:00Z'],
    ['2026-07-10', 'America/Los_Angeles', '2026-07-10T07:00:00Z'],
    ['2026-07-10', 'Pacific/Kiritimati', '2026-07-09T10:00:00Z'],
    // The clocks change at midnight: 00:00 does not exist in the first, and comes twice in the second.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['2026-11-01', 'America/Havana', '2026-11-01T04:00:00Z'],
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00Z'],
    ['2028-02-29', 'UTC', '2028-02-29T00:00:00Z'],
    ['2026-07-10T08:00Z', 'Asia/Tokyo', '2026-07-10T08:00:00Z'],
    ['2026-07-10 08:00:30z', 'Asia/Tokyo', '2026-07-10T08:00:30Z'],
    ['2026-07-10T08:00:00.5-05:30', 'UTC', '2026-07-10T13:30:00Z'],
  ])('%s in %s is %s', (text, zone, utc) => {
    expect(new Date(resolveMoment(parseMoment(text), zone)).toISOString()).toBe(utc.replace('Z', '.000Z'));
  });

  test.each([
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '1026-01-01',
    '26-07-10',
    '2026-7-1',
    '2026-07-10T08:00',
    '2026-07-10T24:00Z',
    '2026-07-10T08:60Z',
    '2026-07-10T08:00+99:00',
    '2026-02-30T08:00Z',
    'today',
    '',
  ])('%j is refused', (text) => {
    expect(() => parseMoment(text)).toThrow(/;/);
  });

  test.each([
    ['Europe/Berlin', true],
    ['utc', true],
    ['Europe/Atlantis', false],
    ['+02:00', false],
    ['', false],
  ])('time zone %j: %j', (name, known) => {
    expect(isTimeZone(name)).toBe(known);
  });
});

describe('networks', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.168.1.7', '192.168.1.7/32'],
    ['FD00:0::/8', 'fd00::/8'],
    ['2001:DB8::1', '2001:db8::1/128'],
    ['::ffff:10.0.0.0/104', '::ffff:a00:0/104'],
  ])('%s is %s', (text, network) => {
    expect(parseCidr(text)).toBe(network);
  });

  test.each([
    ['10.1.2.3/8', 'write 10.0.0.0/8'],
    ['2001:db8:ffff::1/33', 'write 2001:db8:8000::/33'],
    ['10.0.0.0/33', 'write 0 to 32'],
    ['::/129', 'write 0 to 128'],
    ['10.0.0.0/', 'write 0 to 32'],
    ['10.0.0.0/-1', 'write 0 to 32'],
    ['10.0.0/8', 'not a network'],
    ['010.0.0.0/8', 'not a network'],
    ['10.0.0.0/8/8', 'not a network'],
    ['fe80::1%eth0', 'not a network'],
    ['', 'not a network'],
  ])('%j is refused: %s', (text, why) => {
    expect(() => parseCidr(text)).toThrow(why);
  });

  test.each([
    ['[::1]:80', { match: 'cidr', value: '::1/128', port: 80 }],
    ['fd00::/8', { match: 'cidr', value: 'fd00::/8', port: null }],
    ['10.0.0.0/8:443', { match: 'cidr', value: '10.0.0.0/8', port: 443 }],
    ['*.Test', { match: 'suffix', value: 'test', port: null }],
    ['Wiki.Corp.Test.:8443', { match: 'host', value: 'wiki.corp.test', port: 8443 }],
  ])('destination %s', (text, destination) => {
    expect(parseAllowed(text)).toEqual(destination);
  });

  test.each(['*', '*.', '', ':443', 'a:0', 'a:65536', 'a:http', '[::1', 'http://a/', '*.1.2.3.4'])(
    'destination %j is refused',
    (text) => {
      expect(() => parseAllowed(text)).toThrow();
    },
  );
});

test.each([
  ['1ms', 1],
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['24d', 2_073_600_000],
  ['0s', null],
  ['25d', null],
  ['1.5h', null],
  ['-1s', null],
  ['10', null],
  ['10 s', null],
  ['1H', null],
])('duration %s', (text, milliseconds) => {
  const result = duration.safeParse(text);
  expect(result.success ? result.data : null).toBe(milliseconds);
});

describe('suggestions', () => {
  test.each([
    ['efect', 'effect'],
    ['effcet', 'effect'],
    ['EFFECT', 'effect'],
    ['from-', 'from'],
    ['raw-address', 'raw_address'],
    ['raw', 'raw_address'],
    ['ra', null],
    ['unitl', 'until'],
    ['zzz', null],
    ['x'.repeat(100), null],
  ])('%s: %s', (word, meant) => {
    expect(nearest(word, ['effect', 'from', 'until', 'raw_address'])).toBe(meant);
  });

  test('without a near word, the known ones are named while they are few', () => {
    expect(didYouMean('zzz', ['a', 'b'])).toBe('known: a, b');
    expect(didYouMean('zzz', [])).toBe('there are none yet');
    const many = Array.from({ length: 25 }, (_, i) => `word${i}`);
    expect(didYouMean('zzz', many)).toBe('one of the 25 known ones is needed');
  });
});
