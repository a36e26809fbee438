import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readProxyHeader } from '../../src/listen/proxy-protocol.ts';
import { proxyV2 } from '../support/proxy-header.ts';

const line = (text: string): Buffer => Buffer.from(text, 'latin1');

test.each([
  ['TCP4', 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n', { address: '192.0.2.7', port: 56_324 }],
  ['TCP6', 'PROXY TCP6 2001:db8::7 2001:db8::1 65535 0\r\n', { address: '2001:db8::7', port: 65_535 }],
  ['TCP6 in another spelling', 'PROXY TCP6 2001:DB8:0:0::7 2001:db8::1 1 2\r\n', { address: '2001:db8::7', port: 1 }],
  ['UNKNOWN', 'PROXY UNKNOWN\r\n', null],
  ['UNKNOWN with addresses that are to be skipped', 'PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n', null],
])('version 1, %s', (_what, text, peer) => {
  const bytes = Buffer.concat([line(text), line('CONNECT x')]);
  expect(readProxyHeader(bytes)).toEqual({ kind: 'header', length: text.length, peer });
});

test.each(['::ffff:10.0.0.1', '::FFFF:10.0.0.1', '::ffff:a00:1', '0:0:0:0:0:FFFF:0a00:0001', '0::ffff:10.0.0.1'])(
  'version 1, IPv4 spelled as %s, is that IPv4 address',
  (source) => {
    const header = { kind: 'header', peer: { address: '10.0.0.1', port: 1 } };
    expect(readProxyHeader(line(`PROXY TCP6 ${source} ::1 1 2\r\n`))).toMatchObject(header);
  },
);

test.each([
  ['TCP4', proxyV2({ family: 0x11, addresses: '192.0.2.7 198.51.100.1' }), { address: '192.0.2.7', port: 4711 }],
  ['TCP6', proxyV2({ family: 0x21, addresses: '2001:db8::7 ::1' }), { address: '2001:db8::7', port: 4711 }],
  ['TCP6, mapped', proxyV2({ family: 0x21, addresses: '::ffff:1.2.3.4 ::1' }), { address: '1.2.3.4', port: 4711 }],
  ['TLVs', proxyV2({ family: 0x11, addresses: '192.0.2.7 1.1.1.1', tlvs: 900 }), { address: '192.0.2.7', port: 4711 }],
  ['LOCAL', proxyV2({ command: 0x20, family: 0x00 }), null],
  ['LOCAL with an address', proxyV2({ command: 0x20, family: 0x11, addresses: '192.0.2.7 1.1.1.1' }), null],
  ['AF_UNSPEC', proxyV2({ family: 0x00, tlvs: 40 }), null],
  ['AF_UNIX', proxyV2({ family: 0x31, tlvs: 216 }), null],
])('version 2, %s', (_what, header, peer) => {
  const bytes = Buffer.concat([header, line('CONNECT x')]);
  expect(readProxyHeader(bytes)).toEqual({ kind: 'header', length: header.length, peer });
  for (let end = 0; end < header.length; end += 1)
    expect(readProxyHeader(bytes.subarray(0, end))).toEqual({ kind: 'more' });
});

test.each([
  ['no header', line('CONNECT ok.test:443 HTTP/1.1\r\n')],
  ['another case', line('proxy TCP4 192.0.2.7 198.51.100.1 56324 443\r\n')],
  ['a family that does not fit', line('PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n')],
  ['a zone', line('PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n')],
  ['a name for an address', line('PROXY TCP4 localhost 198.51.100.1 1 2\r\n')],
  ['a port of six digits', line('PROXY TCP4 192.0.2.7 198.51.100.1 655360 443\r\n')],
  ['a port with a leading zero', line('PROXY TCP4 192.0.2.7 198.51.100.1 0080 443\r\n')],
  ['a port that is too high', line('PROXY TCP4 192.0.2.7 198.51.100.1 80 65536\r\n')],
  ['two spaces', line('PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n')],
  ['one word more', line('PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n')],
  ['UDP', line('PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n')],
  ['a line without an end', line(`PROXY UNKNOWN ${'x'.repeat(200)}`)],
  ['a line of 108 bytes', line(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)],
  ['version 3', proxyV2({ command: 0x31, family: 0x11, addresses: '1.1.1.1 1.1.1.1' })],
  ['a command that is not known', proxyV2({ command: 0x22, family: 0x11, addresses: '1.1.1.1 1.1.1.1' })],
  ['UDP in version 2', proxyV2({ family: 0x12, addresses: '1.1.1.1 1.1.1.1' })],
  ['too short for its addresses', proxyV2({ family: 0x21, addresses: '1.1.1.1 1.1.1.1' })],
  ['65 KiB of TLVs', proxyV2({ family: 0x11, addresses: '1.1.1.1 1.1.1.1', tlvs: 65_000 })],
])('refuses %s', (_what, bytes) => {
  expect(readProxyHeader(bytes)).toMatchObject({ kind: 'bad' });
});

test('never throws and never asks for more than 4 KiB and a bit', () => {
  const signed = fc
    .uint8Array({ maxLength: 64 })
    .map((tail) => Buffer.concat([proxyV2({ family: 0 }).subarray(0, 12), tail]));
  const worded = fc.string({ maxLength: 140, unit: 'binary' }).map((tail) => line(`PROXY ${tail}`));
  const any = fc.uint8Array({ maxLength: 32 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(signed, worded, any), (bytes) => {
      const read = readProxyHeader(bytes);
      if (read.kind === 'header') expect(read.length).toBeLessThanOrEqual(bytes.length);
      if (read.kind === 'more')
        expect(readProxyHeader(Buffer.concat([bytes, Buffer.alloc(4_200)])).kind).not.toBe('more');
    }),
    { numRuns: 5_000 },
  );
});
