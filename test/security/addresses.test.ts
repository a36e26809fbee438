/** Addresses that may not be dialled, however they are spelled; the proxy itself; loops. */
import { hostname, networkInterfaces } from 'node:os';
import { expect } from 'vitest';
import { createDestinations, specialRange } from '../../src/act/destinations.ts';
import { createResolver } from '../../src/act/resolver.ts';
import { createDialler } from '../../src/act/upstream.ts';
import { parseAuthority, parseHost } from '../../src/listen/target.ts';
import { connectHead } from '../support/tunnels.ts';
import { connectRaw } from '../support/streams.ts';
import { attack, get, openField, statusOf, type Field } from './field.ts';

/** Every address may be asked for; only the guard of the dial stands between. Names are allowed, addresses are not. */
const policy = `
rules:
  - { id: acme-ban, vendors: acme, effect: deny, reason: Acme keeps what it is told. }
defaults: { unlisted: allow, catalogue: monitor, raw_address: allow }
`;
const field = openField({
  policy,
  settings: {
    outbound: {
      hosts: { '*.test': '127.0.0.1', 'inside.example': '10.0.0.1', 'self.example': '127.0.0.1' },
      allow: ['*.test'],
    },
  },
});

/** Both ways to ask for a host: neither may reach anything. Gives the statuses of the plain one. */
async function refused(here: Field, host: string, port = here.far.port): Promise<number> {
  const authority = `${host}:${port}`;
  const client = await connectRaw(here.lab.proxyPort, connectHead(authority));
  await client.until(/^HTTP\/1\.1 \d{3} [^]*?\r\n\r\n/);
  // A raw address is answered before it is dialled, since its hello may name a host; behind the hello it ends.
  if (statusOf(client.seen()) === 200) client.write('GET / HTTP/1.1\r\n\r\n');
  await client.ended;
  expect(client.seen(), host).not.toContain('the origin');
  const answer = await here.send(get(`http://${authority}/`, authority));
  expect(answer, host).not.toContain('the origin');
  expect(here.far.bytes(), host).toBe('');
  return statusOf(answer);
}

attack(
  field,
  39,
  'Loopback in every spelling: short, octal, hexadecimal, decimal, mapped, IPv4-compatible, `localhost`, circled digits',
  'one address, refused with 403 (400 where it is no host at all)',
  async (here) => {
    const spellings = [
      ...['127.0.0.1', '127.1', '0x7f.1', '0177.0.0.1', '2130706433', '0x7f000001', '0', '0.0.0.0'],
      ...['[::]', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]', '[::127.0.0.1]'],
      ...['localhost', 'localhost.', 'LOCALHOST'],
    ];
    for (const host of spellings) expect(await refused(here, host), host).toBe(403);
    for (const host of ['127。0。0。1', '①②⑦.0.0.1']) expect(specialRange(parseHost(host).host), host).toBe('loopback');
  },
);

attack(
  field,
  40,
  'Private, shared, link-local, multicast, reserved, NAT64, 6to4, Teredo, ISATAP and site-local addresses',
  '403 with the range named',
  async (here) => {
    const table = {
      '10.0.0.1': 'private',
      '172.16.0.1': 'private',
      '172.31.255.255': 'private',
      '192.168.1.1': 'private',
      '100.64.0.1': 'carrier-grade NAT',
      '169.254.1.1': 'link-local',
      '192.0.0.1': 'protocol assignments',
      '198.18.0.1': 'benchmarking',
      '224.0.0.1': 'multicast',
      '240.0.0.1': 'reserved',
      '255.255.255.255': 'reserved',
      'fc00::1': 'unique local',
      'fe80::1': 'link-local',
      'fec0::1': 'site-local',
      'ff02::1': 'multicast',
      '64:ff9b::a00:1': 'private',
      '64:ff9b:1::a00:1': 'local NAT64',
      '2002:a00:1::1': '6to4',
      '2001:0:1::1': 'Teredo',
      '2001:4860::5efe:a00:1': 'ISATAP',
      '3fff::1': 'documentation',
      '5f00::1': 'segment routing',
      '100:0:0:1::1': 'dummy prefix',
      '2001:2::1': 'benchmarking',
    };
    for (const [address, range] of Object.entries(table)) expect(specialRange(address), address).toBe(range);
    for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:4860:4860::8888', '64:ff9b::808:808'])
      expect(specialRange(address), address).toBe(null);
    const answer = await here.send(get('http://10.0.0.1/'));
    expect(statusOf(answer)).toBe(403);
    expect(answer).toContain('X-Proxy-Error: destination_prohibited');
  },
);

attack(
  field,
  41,
  'Metadata services of clouds, in every spelling, where link-local is allowed for something else',
  '403: a block that happens to hold them does not open them',
  async (here) => {
    const open = createDestinations({
      ports: [80],
      allow: [
        { match: 'cidr', value: '169.254.0.0/16', port: null },
        { match: 'cidr', value: '100.64.0.0/10', port: null },
        { match: 'cidr', value: 'fd00::/8', port: null },
        { match: 'cidr', value: '168.63.0.0/16', port: null },
      ],
      own: () => [],
    });
    for (const host of [
      ...['169.254.169.254', '0xa9fea9fe', '2852039166', '[::ffff:a9fe:a9fe]', '[fd00:ec2::254]', '[fd20:ce::254]'],
      ...['100.100.100.200', '168.63.129.16'],
    ]) {
      const target = parseAuthority(`${host}:80`);
      expect(open.addressProblem(target, target.host), host).toMatch(/ is metadata$/);
      expect(await refused(here, host, 80), host).toBe(403);
    }
    expect(open.addressProblem(parseAuthority('169.254.1.1:80'), '169.254.1.1')).toBe(null);
    // A name for it is judged by the address that it has.
    expect(open.addressProblem(parseAuthority('metadata.google.internal:80'), '169.254.169.254')).toMatch(/metadata$/);
  },
);

attack(field, 42, 'Zone ids: `[fe80::1%25eth0]`, `[::1%25lo]`, `[::1%lo]`', '400', async ({ status, far }) => {
  for (const host of ['[fe80::1%25eth0]', '[::1%25lo]', '[::1%lo]']) {
    expect(await status(connectHead(`${host}:443`)), host).toBe(400);
    expect(await status(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`), host).toBe(400);
  }
  expect(far.bytes()).toBe('');
});

attack(
  field,
  44,
  'A name whose only address is private, mapped or behind NAT64',
  '403 after resolution, by CONNECT, in the clear and for a WebSocket',
  async (here) => {
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n';
    for (const bytes of [
      connectHead('inside.example:80'),
      get('http://inside.example/'),
      get('http://inside.example/', 'inside.example', upgrade),
    ]) {
      const answer = await here.send(bytes);
      expect(statusOf(answer)).toBe(403);
      expect(answer).toContain('X-Proxy-Error: destination_prohibited');
    }
    for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '64:ff9b::a00:1']) {
      const dialler = createDialler({
        resolver: createResolver({ hosts: { 'name.example': address }, timeout: 1_000 }),
        destinations: createDestinations({ ports: [80], allow: [], own: () => [] }),
        connectTimeout: 1_000,
      });
      const { socket } = await connectRaw(here.far.port);
      await expect(dialler.dial(parseAuthority('name.example:80'), socket), address).rejects.toMatchObject({
        code: 'destination_prohibited',
      });
      socket.destroy();
    }
  },
);

attack(
  field,
  46,
  'The proxy itself: its own proxy, pages and admin port, by every address and name of the machine',
  '403; the admin port is never reached through the proxy',
  async (here) => {
    const { proxy, pages, admin } = here.lab.addresses;
    const lan = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ family }) => family === 'IPv4')
      .map(({ address }) => address);
    for (const host of [
      '127.0.0.1',
      '127.0.0.2',
      '[::1]',
      '0.0.0.0',
      'localhost',
      'self.example',
      ...lan,
      hostname().toLowerCase(),
    ]) {
      for (const { port } of [proxy, pages, admin]) {
        const answer = await here.send(get(`http://${host}:${port}/metrics`));
        expect([403, 502], `${host}:${port}`).toContain(statusOf(answer));
        expect(answer).not.toContain('sallyport_build_info');
        const tunnel = await connectRaw(here.lab.proxyPort, connectHead(`${host}:${port}`));
        await tunnel.until(/^HTTP\/1\.1 \d{3} [^]*?\r\n\r\n/);
        if (statusOf(tunnel.seen()) === 200) tunnel.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
        expect((await tunnel.ended).text, `${host}:${port}`).not.toContain('sallyport_build_info');
      }
    }
  },
);

attack(
  field,
  47,
  'A request that comes back: our own name in Via',
  '502 with the reason `loop_detected`, in one round',
  async (here) => {
    let via = '';
    here.far.answerWith((req, res) => {
      via = req.headers.via ?? '';
      res.end('first round');
    });
    const url = `http://${here.at('ok.test')}/`;
    expect(statusOf(await here.send(get(url)))).toBe(200);
    expect(via).toMatch(/^1\.1 \S+$/);
    here.far.forget();
    const looped = await here.send(get(url, undefined, `Via: 1.0 other, ${via}\r\n`));
    expect(statusOf(looped)).toBe(502);
    expect(looped).toContain('X-Proxy-Error: loop_detected');
    expect(here.far.bytes()).toBe('');
  },
);

attack(
  field,
  49,
  'An origin that redirects to a denied or a private address',
  'the redirect is passed to the client, and never followed here',
  async (here) => {
    here.far.answerWith((_req, res) => void res.writeHead(302, { location: 'http://10.0.0.1/' }).end());
    const answer = await here.send(get(`http://${here.at('ok.test')}/`));
    expect(statusOf(answer)).toBe(302);
    expect(answer).toMatch(/^location: http:\/\/10\.0\.0\.1\/\r$/im);
    expect(here.far.requests()).toHaveLength(1);
  },
);

attack(
  field,
  48,
  'TRACE and OPTIONS with Max-Forwards',
  '0 is answered here without echoing any field, 5 goes on as 4; TRACE is refused',
  async (here) => {
    const fields = 'Cookie: c=sk-1\r\nAuthorization: Bearer sk-2\r\nProxy-Authorization: Basic sk-3\r\n';
    const url = `http://${here.at('ok.test')}/`;
    const ask = (method: string, forwards: string): Promise<string> =>
      here.send(get(url, undefined, `${forwards}${fields}`).replace('GET', method));
    for (const method of ['TRACE', 'OPTIONS']) {
      const answer = await ask(method, 'Max-Forwards: 0\r\n');
      expect(answer, method).not.toContain('sk-');
      expect(here.far.bytes(), method).toBe('');
    }
    expect(statusOf(await ask('OPTIONS', 'Max-Forwards: 0\r\n'))).toBe(200);
    for (const forwards of ['', 'Max-Forwards: 0\r\n', 'Max-Forwards: 5\r\n'])
      expect(statusOf(await ask('TRACE', forwards))).toBe(405);
    expect(here.far.bytes()).toBe('');
    expect(statusOf(await ask('OPTIONS', 'Max-Forwards: 5\r\n'))).toBe(200);
    expect(here.far.bytes()).toMatch(/^max-forwards: 4\r$/im);
  },
);

attack(
  field,
  50,
  'A raw address that is in the list of a denied vendor, whatever name its PTR record has',
  'denied by the rule for the vendor; names of addresses are never asked for',
  async (here) => {
    const answer = await here.send(get('http://203.0.113.77/'));
    expect(statusOf(answer)).toBe(403);
    expect(answer).toContain('X-Proxy-Error: policy_denied');
    expect(answer).toContain('acme-ban');
    const other = await here.send(get('http://203.0.113.99/'));
    expect(other).toContain('X-Proxy-Error: destination_prohibited');
  },
);
