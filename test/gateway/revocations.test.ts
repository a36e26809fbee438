import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readRevocations } from '../../src/gateway/revocations.ts';
import { makeStaffCa } from '../support/staff-ca.ts';

test.each([
  ['20310506070809Z', '2031-05-06T07:08:09.000Z'],
  // From 2050 on the year has four digits in the list.
  ['20600506070809Z', '2060-05-06T07:08:09.000Z'],
])('a list says until when it holds: %s', (until, at) => {
  const { pems, until: read } = readRevocations(makeStaffCa().revoke([], until));
  expect(pems).toHaveLength(1);
  expect(new Date(read).toISOString()).toBe(at);
});

test.each([[['20310101000000Z', '20320101000000Z']], [['20320101000000Z', '20310101000000Z']]])(
  'of several lists in a file the first to end decides: %j',
  (ends) => {
    const files = ends.map((until, i) => makeStaffCa(`Authority ${i}`).revoke([], until));
    const [file = ''] = files;
    writeFileSync(file, files.map((one) => readFileSync(one, 'utf8')).join(''));
    const { pems, until } = readRevocations(file);
    expect(pems).toHaveLength(2);
    expect(new Date(until).getUTCFullYear()).toBe(2031);
  },
);

test('a file that cannot be read is named with its key', () => {
  expect(() => readRevocations('/nowhere/crl.pem')).toThrow(
    '/nowhere/crl.pem: cannot be read (ENOENT); correct listen.proxy_tls.client_crl_file',
  );
});
