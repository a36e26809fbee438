import { expect, test } from 'vitest';
import { createLdapMessages } from '../../src/identify/ldap-messages.ts';

const MOST = 1024 * 1024;

function element(tag: number, ...content: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([Buffer.from([tag, 0x84, 0, 0, body.length >> 8, body.length & 255]), body]);
}

const number = (tag: number, value: number): Buffer => Buffer.from([tag, 1, value]);
const text = (value: string): Buffer => element(0x04, value);
const message = (...parts: readonly Buffer[]): Buffer => element(0x30, number(0x02, 1), ...parts);
const result = (tag: number, ...more: readonly Buffer[]): Buffer =>
  element(tag, number(0x0a, 0), text(''), text('fine'), ...more);
const attribute = (type: string, ...values: readonly string[]): Buffer =>
  element(0x30, text(type), element(0x31, ...values.map(text)));
const entry = (...attributes: readonly Buffer[]): Buffer =>
  element(0x64, text('uid=ada,o=corp'), element(0x30, ...attributes));
const controls = element(0xa0, element(0x30, text('2.16.840.1.113730.3.4.4'), text('0')));

const read = (...chunks: readonly Buffer[]): Buffer[] => {
  const take = createLdapMessages(MOST);
  return chunks.flatMap((chunk) => take(chunk));
};

const good: readonly (readonly [string, Buffer])[] = [
  ['of a bind', result(0x61)],
  [
    'of a bind, with a referral and credentials',
    result(0x61, element(0xa3, text('ldap://b.test')), element(0x87, 'x')),
  ],
  ['of a search', result(0x65)],
  ['of STARTTLS', result(0x78, element(0x8a, '1.3.6.1.4.1.1466.20037'), element(0x8b))],
  ['that is an entry', entry(attribute('uid', 'ada'), attribute('memberOf', 'a', 'b'), attribute('none'))],
  ['that is an entry without attributes', entry()],
  ['that refers to another server', element(0x73, text('ldap://b.test'))],
];

test.each(good)('an answer %s goes on, and its controls do not', (_what, operation) => {
  const [whole, ...more] = read(message(operation));
  expect(more).toEqual([]);
  expect(whole).toEqual(message(operation));
  expect(read(message(operation, controls))).toEqual([message(operation)]);
});

test('messages come one by one, however they were cut', () => {
  const all = good.map(([, operation]) => message(operation));
  const bytes = Buffer.concat(all);
  expect(read(bytes)).toEqual(all);
  expect(read(...Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(all);
});

test.each([
  ['a string that is longer than its message', element(0x61, number(0x0a, 0), text(''), Buffer.from([0x04, 9]))],
  [
    'a length that the library takes for a negative one',
    Buffer.from('610a0a0100040004 84fffffff6'.replace(' ', ''), 'hex'),
  ],
  ['a length without end', Buffer.from('61800a010004000400', 'hex')],
  ['a length of five bytes', Buffer.from('61850000000007 0a010004000400'.replace(' ', ''), 'hex')],
  ['a result without its texts', element(0x61, number(0x0a, 0))],
  ['a result of five bytes', element(0x61, element(0x0a, Buffer.alloc(5)), text(''), text(''))],
  ['credentials twice', result(0x61, element(0x87, 'x'), element(0x87, 'x'))],
  ['an entry that is only a name', element(0x64, text('uid=ada,o=corp'))],
  ['an attribute without values', entry(element(0x30, text('uid')))],
  ['an attribute whose values are none', entry(element(0x30, text('uid'), element(0x31, number(0x02, 1))))],
  ['an attribute that is none', entry(text('uid'))],
  ['a reference to nowhere', element(0x73)],
  ['the answer to what nobody asked', result(0x6b)],
  ['a request', element(0x42)],
])('%s is refused', (_what, operation) => {
  expect(() => read(message(operation))).toThrow('it sends a malformed LDAP message');
});

test.each([
  ['no sequence', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['an id that is none', element(0x30, text('1'), result(0x61))],
  ['an id of five bytes', element(0x30, element(0x02, Buffer.alloc(5)), result(0x61))],
  ['no operation', message()],
  ['something else in the place of controls', message(result(0x61), text('x'))],
  ['more behind the controls', message(result(0x61), controls, controls)],
])('a message with %s is refused', (_what, bytes) => {
  expect(() => read(bytes)).toThrow('it sends a malformed LDAP message');
});

test('all messages together have a limit', () => {
  const take = createLdapMessages(100);
  expect(take(Buffer.from('30847fffffff', 'hex'))).toEqual([]);
  expect(take(Buffer.alloc(94))).toEqual([]);
  expect(() => take(Buffer.alloc(1))).toThrow('it sends more than 100 bytes');
});
