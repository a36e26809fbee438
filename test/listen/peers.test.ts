import { expect, test } from 'vitest';
import { clientKey, connectionKey, introduce, peerOf } from '../../src/listen/peers.ts';

test('a socket is its own peer until another is introduced', () => {
  const socket = { remoteAddress: '10.0.0.1', remotePort: 1 };
  expect(peerOf(socket)).toBe(socket);
  introduce(socket, { remoteAddress: '192.0.2.7', remotePort: 2, user: 'ada' });
  expect(peerOf(socket)).toEqual({ remoteAddress: '192.0.2.7', remotePort: 2, user: 'ada' });
});

test.each(['remoteAddress', 'remotePort', 'localAddress', 'localPort'])('another %s is another connection', (part) => {
  const socket = { remoteAddress: '10.0.0.1', remotePort: 1, localAddress: '10.0.0.2', localPort: 3128 };
  expect(connectionKey({ ...socket })).toBe(connectionKey(socket));
  expect(connectionKey({ ...socket, [part]: part.endsWith('Port') ? 2 : '10.0.0.3' })).not.toBe(connectionKey(socket));
});

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:DB8:0001:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['2001:db8::', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['1:2:3:4:5::7', '1:2:3:4'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
])('%s counts as %s', (address, key) => {
  expect(clientKey(address)).toBe(key);
});
