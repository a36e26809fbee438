import { once } from 'node:events';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { offered } from '../../src/certificates/offered.ts';
import { createProxyTls, userOf } from '../../src/listen/proxy-tls.ts';
import { makeCertificate } from '../support/certificate.ts';
import { socketPair } from '../support/streams.ts';

const certificate = (CN: unknown, subjectaltname?: string): Parameters<typeof userOf>[0] =>
  ({ subject: { CN }, subjectaltname }) as Parameters<typeof userOf>[0];

test.each([
  ['cn', certificate('ada'), 'ada'],
  ['cn', certificate('Ada Lovelace'), 'Ada Lovelace'],
  ['cn', certificate(['ada', 'root']), undefined],
  ['cn', certificate(undefined), undefined],
  ['cn', certificate('a\r\nX: y'), undefined],
  ['cn', certificate('x'.repeat(257)), undefined],
  ['email', certificate('ada', 'DNS:a.test, email:ada@corp.test'), 'ada@corp.test'],
  ['email', certificate('ada', 'email:ada@corp.test, email:root@corp.test'), undefined],
  ['email', certificate('ada', 'DNS:"a, email:root@corp.test"'), undefined],
  ['email', certificate('ada'), undefined],
  ['upn', certificate('ada', 'email:ada@x.test, othername:UPN:ada@corp.test'), 'ada@corp.test'],
  ['upn', certificate('ada', 'othername:UPN:ada@corp.test, othername:UPN:root@corp.test'), undefined],
  ['upn', certificate('ada', 'othername:UPN:"ada, root"'), undefined],
  ['upn', certificate('ada', 'othername:<unsupported>, email:ada@corp.test'), undefined],
  ['cn', {}, undefined],
  ['email', {}, undefined],
] as const)('the user by %s of %j is %s', (from, given, user) => {
  expect(userOf(given, from)).toBe(user);
});

test('a connection that cannot be told from one whose handshake is awaited is refused, and the first goes on', async () => {
  const { cert, key, remove } = makeCertificate('proxy.test');
  onTestFinished(remove);
  const tls = createProxyTls({
    material: { cert, key, ...offered('ECDSA') },
    clientCertificate: 'none',
    userFrom: 'cn',
    handshakeTimeout: 5_000,
  });
  const { near, far } = await socketPair();
  const told: string[] = [];
  const lift = (which: string): void =>
    tls.handshake(
      near,
      () => void told.push(`${which} is ready`),
      (detail) => void told.push(`${which}: ${detail}`),
    );
  lift('the first');
  // To give the same socket twice is the one way to have two with the same addresses and ports at will.
  lift('the second');
  const client = connect({ socket: far, ca: cert, servername: 'proxy.test' });
  onTestFinished(() => void client.destroy());
  await once(client, 'secureConnect');
  await expect
    .poll(() => told)
    .toEqual([
      'the second: its addresses and ports are those of a connection that is still open',
      'the first is ready',
    ]);
});
