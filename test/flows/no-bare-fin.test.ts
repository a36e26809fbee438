/**
 * However a CONNECT ends, its client got an answer or a RST: some libraries take a FIN without a word for a stale
 * connection and ask again, thousands of times a second.
 */
import { expect, onTestFinished, test } from 'vitest';
import { closedPort, labOfTest } from '../support/origins.ts';
import { connectRaw, eventually, tcpOrigin } from '../support/streams.ts';
import { connectHead } from '../support/tunnels.ts';
import type { Lab, LabOptions } from '../support/lab.ts';

interface Path {
  readonly name: string;
  readonly options?: LabOptions;
  /** What the client sends first. */
  readonly says: (lab: Lab) => string | Promise<string>;
  readonly then?: (lab: Lab, socket: Awaited<ReturnType<typeof connectRaw>>) => unknown;
}

const settings = (more: Readonly<Record<string, unknown>>): LabOptions => ({ settings: more });
const connect = (authority: string) => () => connectHead(authority);

const paths: readonly Path[] = [
  { name: 'denied by refusal', says: connect('refused.test:443') },
  { name: 'denied, on a port that speaks no HTTP', says: connect('api.anthropic.com:22') },
  { name: 'denied by reset', says: connect('reset.test:443') },
  { name: 'a raw address', says: connect('192.0.2.1:443'), then: (_lab, client) => client.socket.end() },
  { name: 'a port that is not allowed', says: connect('example.org:25') },
  { name: 'a private address', says: connect('[::1]:443'), then: (_lab, client) => client.socket.end() },
  { name: 'a name that does not resolve', says: connect('nobody.invalid:443') },
  { name: 'an origin that refuses', says: async () => connectHead(`ok.test:${await closedPort()}`) },
  { name: 'no authority', says: () => 'CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n' },
  { name: 'half a head, then FIN', says: () => 'CONNECT a.test:443 HT', then: (_lab, client) => client.socket.end() },
  {
    name: 'half a head, for too long',
    options: settings({ limits: { head_timeout: '1s' } }),
    says: () => 'CONNECT a.test:443 HTTP/1.1\r\n',
  },
  { name: 'a head that is too large', says: () => `CONNECT a.test:443 HTTP/1.1\r\nX: ${'x'.repeat(70_000)}\r\n\r\n` },
  {
    name: 'an intercepted tunnel that stays silent',
    options: settings({ tunnels: { hello_timeout: '1s' } }),
    says: connect('api.anthropic.com:443'),
  },
  {
    name: 'an intercepted tunnel that speaks no TLS',
    says: connect('api.anthropic.com:443'),
    // Not before the answer: libuv takes a RST for an end where the same poll brought bytes.
    then: (_, client) => client.until('200').then(() => client.write('SSH-2.0-x\r\n')),
  },
  {
    name: 'a shutdown in the middle of a head',
    says: () => 'CONNECT a.test:443 HTTP/1.1\r\n',
    then: (lab) => lab.gateway.drain(),
  },
  {
    name: 'a stop while the tunnel waits for its first bytes',
    says: connect('api.anthropic.com:443'),
    then: (lab, client) => client.until('200').then(() => lab.gateway.close()),
  },
];

test.each(paths)('$name', async ({ options, says, then }) => {
  const lab = await labOfTest(options);
  const client = await connectRaw(lab.proxyPort, await says(lab));
  const done = then?.(lab, client);
  const { how, text } = await client.ended;
  expect(
    how === 'reset' || /^HTTP\/1\.1 (?:[3-5]\d\d|200 Connection established\r\n\r\n.)/s.test(text),
    `${how} ${text}`,
  ).toBe(true);
  await done;
});

test('over the connection limit', async () => {
  const lab = await labOfTest(settings({ limits: { connections: 1 } }));
  const first = await connectRaw(lab.proxyPort, connectHead('api.anthropic.com:443'));
  await first.until('200');
  const second = await connectRaw(lab.proxyPort, connectHead('api.anthropic.com:443'));
  expect((await second.ended).text).toMatch(/^HTTP\/1\.1 503 /);
});

test('a stop while the origin is dialled', async () => {
  let dialled = false;
  const slow = await tcpOrigin(() => (dialled = true));
  const lab = await labOfTest({
    settings: { outbound: { hosts: { 'ok.test': '127.0.0.1' }, allow: ['ok.test', '127.0.0.1'] } },
  });
  const client = await connectRaw(lab.proxyPort, connectHead(`ok.test:${slow.port}`));
  onTestFinished(() => void client.socket.destroy());
  await eventually('the origin is dialled', () => dialled);
  await lab.gateway.close();
  const { how, text } = await client.ended;
  expect(how === 'reset' || text !== '').toBe(true);
});
