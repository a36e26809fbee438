import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBasic } from '../../src/identify/basic.ts';

const of = (text: string): string => Buffer.from(text).toString('base64');

test.each([
  [`Basic ${of('ada:secret')}`, { user: 'ada', password: 'secret' }],
  [`basic   ${of('ada:secret')}`, { user: 'ada', password: 'secret' }],
  [`Basic ${of('ada:se:cret')}`, { user: 'ada', password: 'se:cret' }],
  [`Basic ${of('ada:')}`, { user: 'ada', password: '' }],
  [`Basic ${of('ädä:pässwörd')}`, { user: 'ädä', password: 'pässwörd' }],
  [`Basic ${of('ada:secret1').replace(/=+$/, '')}`, { user: 'ada', password: 'secret1' }],
])('%s', (field, credentials) => {
  expect(readBasic(field)).toEqual(credentials);
});

test.each([
  ['nothing', ''],
  ['no credentials', 'Basic '],
  ['another scheme', `Bearer ${of('ada:secret')}`],
  ['Digest', 'Digest username="ada", realm="x"'],
  ['no colon', `Basic ${of('ada')}`],
  ['only a colon', `Basic ${of(':')}`],
  ['no user', `Basic ${of(':secret')}`],
  ['bad base64', 'Basic !!!!'],
  ['base64 with bits behind its end', 'Basic YWRhOng5'.replace(/5$/, 'B=')],
  ['base64 in two pieces', `Basic ${of('ada:secret')} ${of('x')}`],
  ['no UTF-8', `Basic ${Buffer.from([0xff, 0x3a, 0x41]).toString('base64')}`],
  ['NUL', `Basic ${of('ada\0:x')}`],
  ['CR LF', `Basic ${of('ada:x\r\nX-Y: z')}`],
  ['64 KiB', `Basic ${of(`ada:${'x'.repeat(65_536)}`)}`],
])('refuses %s', (_what, field) => {
  expect(readBasic(field)).toBeNull();
});

test('reads what was written, and never throws', () => {
  fc.assert(fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => void readBasic(`Basic ${text}`)));
  const plain = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text));
  fc.assert(
    fc.property(plain, plain, (name, password) => {
      const user = name.replaceAll(':', '_');
      expect(readBasic(`Basic ${of(`${user}:${password}`)}`)).toEqual({ user, password });
    }),
  );
});
