/** Two names, one decision: target, server name, Host and `:authority` are of one mind, or nothing goes on. */
import { once } from 'node:events';
import { expect } from 'vitest';
import { rawClient } from '../support/streams.ts';
import { askHttp2, askOver, connectHead, http2Over, openTunnel, tlsOver } from '../support/tunnels.ts';
import { attack, get, openField, statusOf, type Field } from './field.ts';

const policy = `
rules:
  - { id: acme-ban, vendors: acme, effect: deny, reason: Acme keeps what it is told. }
  - { id: loopback, domains: 127.0.0.1, effect: allow, reason: The far side by its address. }
  - { id: known, domains: [ok.test, other.test], effect: allow, reason: Known hosts. }
defaults: { unlisted: allow, catalogue: monitor, raw_address: deny }
`;
const field = openField({ policy });

/** How a tunnel ends for a client that sends a ClientHello for `servername`: the code of its error, or `open`. */
async function handshake({ lab, far }: Field, authority: string, servername: string): Promise<string> {
  const socket = await openTunnel(lab.proxyPort, authority);
  const ca = [lab.ca, far.certificate.cert];
  return tlsOver(socket, { ca, servername, checkServerIdentity: () => undefined }).then(
    (tls) => {
      const { CN } = tls.getPeerCertificate().issuer as { CN?: string };
      tls.destroy();
      return CN === 'test' ? 'the origin' : 'our leaf';
    },
    (error: unknown) => String(error),
  );
}

attack(
  field,
  17,
  'A request line for an allowed host with a Host of a denied one',
  '400; the origin never sees the denied name',
  async ({ send, far, at }) => {
    const answer = await send(get(`http://${at('ok.test')}/`, 'deny.test'));
    expect(statusOf(answer)).toBe(400);
    expect(answer).toContain('X-Proxy-Error: host_mismatch');
    expect(far.bytes()).not.toContain('deny.test');
  },
);

attack(
  field,
  18,
  'Two Host lines, an empty one, none, a list, another port',
  '400; nothing reaches the origin',
  async ({ status, far, at }) => {
    const name = at('ok.test');
    const line = `GET http://${name}/ HTTP/1.1\r\n`;
    const hosts = [
      `Host: ${name}\r\nHost: deny.test\r\n`,
      `Host: ${name}\r\nHost: ${name}\r\n`,
      'Host:\r\n',
      '',
      `Host: ${name}, deny.test\r\n`,
      'Host: ok.test:81\r\n',
    ];
    for (const host of hosts) expect(await status(`${line}${host}\r\n`), host).toBe(400);
    expect(far.bytes()).toBe('');
  },
);

attack(
  field,
  19,
  'CONNECT to an allowed host, then a ClientHello for a denied one',
  'the denial is answered inside TLS, nothing is relayed, and the record names the rule and the server name',
  async (here) => {
    const lines = await here.logged(1, async () => {
      const socket = await openTunnel(here.lab.proxyPort, here.at('ok.test'));
      const tls = await tlsOver(socket, { ca: here.lab.ca, servername: 'deny.test' });
      const { status } = await askOver(tls, { headers: { host: here.at('deny.test') } });
      expect([403, 421]).toContain(status);
    });
    expect(here.far.bytes()).toBe('');
    expect(JSON.stringify(lines)).toContain('deny.test');
    // Neither is denied, and still they are not of one mind.
    expect(await handshake(here, here.at('ok.test'), 'other.test')).not.toBe('the origin');
    expect(here.far.bytes()).toBe('');
  },
);

attack(
  field,
  20,
  'Inside an intercepted tunnel a Host or `:authority` of another name',
  '421 in HTTP/1.1 and HTTP/2; nothing reaches any origin',
  async ({ lab, far, at }) => {
    const first = await tlsOver(await openTunnel(lab.proxyPort, at('deny.test')), {
      ca: lab.ca,
      servername: 'deny.test',
    });
    expect((await askOver(first, { headers: { host: at('ok.test') } })).status).toBe(421);
    const session = await http2Over(await openTunnel(lab.proxyPort, at('deny.test')), lab.ca, 'deny.test');
    const { headers } = await askHttp2(session, { ':authority': at('ok.test'), ':path': '/' });
    expect(headers[':status']).toBe(421);
    expect(far.bytes()).toBe('');
  },
);

attack(
  field,
  21,
  'The second request of a kept inner connection for another host, or another port of the same',
  '421 for that request; each is judged by itself',
  async ({ lab, far, at }) => {
    const tls = await tlsOver(await openTunnel(lab.proxyPort, at('deny.test')), {
      ca: lab.ca,
      servername: 'deny.test',
    });
    const client = rawClient(tls);
    const request = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    // Both at once: an answer to a denied request in HTTP/1.1 is the last of its connection.
    client.write(request(at('deny.test')) + request(at('ok.test')));
    await once(tls, 'end');
    expect(client.seen().match(/^HTTP\/1\.1 \d{3}/gm)).toEqual(['HTTP/1.1 403']);
    const session = await http2Over(await openTunnel(lab.proxyPort, at('deny.test')), lab.ca, 'deny.test');
    const statuses: number[] = [];
    for (const authority of [at('deny.test'), at('ok.test'), 'deny.test:8443', at('deny.test')])
      statuses.push(Number((await askHttp2(session, { ':authority': authority, ':path': '/' })).headers[':status']));
    expect(statuses).toEqual([403, 421, 421, 403]);
    expect(far.bytes()).toBe('');
  },
);

attack(
  field,
  22,
  'A raw address with a server name that is denied, that is allowed, or with none',
  'judged by the server name; without one, denied by default',
  async (here) => {
    const { lab, far } = here;
    // 127.0.0.2 is named by no rule; the name in the hello is all there is to go by.
    expect(await handshake(here, `127.0.0.2:${far.port}`, 'deny.test')).toBe('our leaf');
    expect(far.bytes()).toBe('');
    const lines = await here.logged(1, async () => {
      const nameless = await openTunnel(lab.proxyPort, `127.0.0.2:${far.port}`);
      const tls = await tlsOver(nameless, { ca: lab.ca, checkServerIdentity: () => undefined });
      expect((await askOver(tls, { headers: { host: `127.0.0.2:${far.port}` } })).status).toBe(403);
    });
    expect(lines[0]).toMatchObject({ sallyport: { effect: 'deny' }, rule: { id: 'default-raw-address' } });
    expect(far.bytes()).toBe('');
  },
);

attack(
  field,
  23,
  'An allowed name in the CONNECT, and a ClientHello without a server name',
  'decided on the name of the CONNECT alone; a denied one stays denied',
  async (here) => {
    const { lab, far, at } = here;
    const open = await openTunnel(lab.proxyPort, at('ok.test'));
    const tls = await tlsOver(open, { ca: far.certificate.cert, checkServerIdentity: () => undefined });
    expect((await askOver(tls, { headers: { host: at('ok.test') } })).body).toBe('the origin');
    far.forget();
    const denied = await openTunnel(lab.proxyPort, at('deny.test'));
    const leaf = await tlsOver(denied, { ca: lab.ca, checkServerIdentity: () => undefined });
    expect((await askOver(leaf, { headers: { host: at('deny.test') } })).status).toBe(403);
    expect(far.requests()).toEqual([]);
  },
);

attack(
  field,
  24,
  'HTTP/2 with a Host that differs from `:authority`, an absolute `:path`, `:scheme` http, a broken `:authority`',
  'RST, 400 or 421 of that stream; nothing goes on',
  async ({ lab, far, at }) => {
    const authority = at('deny.test');
    const strange = [
      { ':authority': authority, host: at('ok.test') },
      { ':authority': authority, ':path': `http://${at('ok.test')}/` },
      { ':authority': authority, ':scheme': 'http' },
      { ':authority': `user@${authority}` },
      { ':authority': `${authority} x` },
      { ':authority': `ok.test\0.${authority}` },
    ];
    for (const headers of strange) {
      const session = await http2Over(await openTunnel(lab.proxyPort, authority), lab.ca, 'deny.test');
      const outcome = await new Promise<number>((resolve) => {
        // Node's own client refuses to send some of them.
        session.once('close', () => resolve(0));
        Promise.resolve()
          .then(() => askHttp2(session, { ':path': '/', ...headers }))
          .then((answer) => answer.headers[':status'] ?? 0)
          .then(resolve, () => resolve(0));
      });
      expect([0, 400, 403, 421], JSON.stringify(headers)).toContain(outcome);
    }
    expect(far.bytes()).toBe('');
  },
);

attack(
  field,
  25,
  'A CONNECT whose Host field names another host than its target',
  'the target decides, whatever Host says',
  async ({ status, lab, far, at }) => {
    const denied = `CONNECT ${at('refused.test')} HTTP/1.1\r\nHost: ${at('ok.test')}\r\n\r\n`;
    expect([200, 400, 403]).toContain(await status(denied));
    const crossed = `CONNECT ${at('deny.test')} HTTP/1.1\r\nHost: ${at('ok.test')}\r\n\r\n`;
    expect([200, 400]).toContain(await status(crossed));
    expect(far.bytes()).toBe('');
    expect(connectHead(at('ok.test'))).toContain('Host: ok.test');
    expect(lab.told).toEqual([]);
  },
);
