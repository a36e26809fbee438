import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { createDestinations, specialRange, type Allowance, type OwnPort } from '../../src/act/destinations.ts';
import { parseHost } from '../../src/listen/target.ts';
import type { Target } from '../../src/flow.ts';

const target = (host: string, port = 443): Target => ({ ...parseHost(host), port });

test.each([
  ['0.0.0.0', 'this network'],
  ['0.255.255.255', 'this network'],
  ['10.0.0.1', 'private'],
  ['10.255.255.255', 'private'],
  ['100.64.0.1', 'carrier-grade NAT'],
  ['100.100.100.200', 'metadata'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['169.254.169.254', 'metadata'],
  ['169.254.1.1', 'link-local'],
  ['168.63.129.16', 'metadata'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.8', 'protocol assignments'],
  ['192.0.2.1', 'documentation'],
  ['192.168.1.1', 'private'],
  ['198.18.0.1', 'benchmarking'],
  ['198.19.255.255', 'benchmarking'],
  ['198.51.100.7', 'documentation'],
  ['203.0.113.7', 'documentation'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'reserved'],
  ['::', 'unspecified, loopback and IPv4-compatible'],
  ['::1', 'unspecified, loopback and IPv4-compatible'],
  ['::7f00:1', 'unspecified, loopback and IPv4-compatible'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:7f00:1', 'loopback'],
  ['::ffff:a9fe:a9fe', 'metadata'],
  ['64:ff9b::a9fe:a9fe', 'metadata'],
  ['::ffff:0:7f00:1', 'IPv4-translated'],
  ['64:ff9b::a00:1', 'private'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b::7f00:1', 'loopback'],
  ['64:ff9b::', 'this network'],
  ['64:ff9b:1::a00:1', 'local NAT64'],
  ['100::1', 'discard'],
  ['2001:0:53aa:64c:0:0:0:1', 'Teredo'],
  ['2001:db8::1', 'documentation'],
  ['2002:a00:1::1', '6to4'],
  ['fc00::1', 'unique local'],
  ['fd00:ec2::254', 'metadata'],
  ['fe80::1', 'link-local'],
  ['febf::1', 'link-local'],
  ['fec0::1', 'site-local'],
  ['ff02::1', 'multicast'],
  ['2606:4700:0:0:0:5efe:10.0.0.1', 'ISATAP'],
  ['2606:4700::5efe:a00:1', 'ISATAP'],
  ['2606:4700::200:5efe:a00:1', 'ISATAP'],
])('%s is %s', (address, range) => {
  expect(specialRange(address)).toBe(range);
});

test.each([
  ...['1.1.1.1', '9.255.255.255', '11.0.0.0', '93.184.216.34', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
  ...[
    '128.0.0.1',
    '168.63.129.17',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '223.255.255.255',
  ],
  ...['2606:4700::1111', '2001:4860:4860::8888', '64:ff9b::5db8:d822', '::ffff:93.184.216.34', '2a00::5efe'],
])('%s is public', (address) => {
  expect(specialRange(address)).toBeNull();
});

const own: readonly OwnPort[] = [
  { port: 3128, pages: false },
  { port: 8128, pages: true },
];
const open = (allow: readonly Allowance[] = []) => createDestinations({ ports: [80, 443], allow, own: () => own });
const cidr = (value: string, port: number | null = null): Allowance => ({ match: 'cidr', value, port });

test.each([
  [443, null],
  [80, null],
  [22, 'port 22 is not an allowed port'],
  [3128, 'port 3128 is not an allowed port'],
])('port %i of everyone: %s', (port, problem) => {
  expect(open().portProblem(target('ok.test', port))).toBe(problem);
});

test.each([
  ['a host, on its port', { match: 'host', value: 'intra.test', port: 8443 }, 'intra.test', 8443, true],
  ['a host, on another port', { match: 'host', value: 'intra.test', port: 8443 }, 'intra.test', 443, false],
  ['a name below a host', { match: 'host', value: 'intra.test', port: null }, 'a.intra.test', 443, false],
  ['a suffix', { match: 'suffix', value: 'intra.test', port: null }, 'a.intra.test', 9000, true],
  ['the apex of a suffix', { match: 'suffix', value: 'intra.test', port: null }, 'intra.test', 443, false],
  ['a name that only ends alike', { match: 'suffix', value: 'intra.test', port: null }, 'notintra.test', 443, false],
  ['an address in a block', cidr('10.1.0.0/16'), '10.1.2.3', 443, true],
  ['an address outside', cidr('10.1.0.0/16'), '10.2.2.3', 443, false],
  ['an address of another family', cidr('10.1.0.0/16'), 'fd00::1', 443, false],
  ['an IPv6 block', cidr('fd00:1::/32'), 'fd00:1::9', 443, true],
  ['a mapped address in a block', cidr('10.1.0.0/16'), '::ffff:10.1.2.3', 443, true],
] as const)('an allowance for %s', (_, allow, host, port, expected) => {
  const destinations = open([allow]);
  expect(destinations.addressProblem(target(host, port), host.includes('test') ? '10.0.0.1' : host) === null).toBe(
    expected,
  );
});

test('a name that resolves into an allowed block may be reached, on the port of the allowance', () => {
  const destinations = open([cidr('10.1.0.0/16', 443)]);
  expect(destinations.addressProblem(target('intra.test'), '10.1.2.3')).toBeNull();
  expect(destinations.addressProblem(target('intra.test', 80), '10.1.2.3')).toBe('10.1.2.3 is private');
  expect(destinations.addressProblem(target('intra.test'), '10.2.2.3')).toBe('10.2.2.3 is private');
});

const metadata = ['169.254.169.254', '::ffff:a9fe:a9fe', '100.100.100.200', '168.63.129.16', 'fd00:ec2::254'];
test.each(metadata)('the metadata address %s is refused even inside an allowed block', (address) => {
  const wide = ['169.254.0.0/16', '100.64.0.0/10', '168.63.0.0/16', 'fd00::/8', '0.0.0.0/0'].map((value) =>
    cidr(value),
  );
  const destinations = open(wide);
  expect(destinations.addressProblem(target('metadata.google.internal', 80), address)).toContain('metadata');
  expect(destinations.addressProblem(target(address, 80), address)).toContain('metadata');
});

test('a metadata address that is allowed by itself may be reached', () => {
  const destinations = open([cidr('169.254.169.254/32', 80)]);
  expect(destinations.addressProblem(target('169.254.169.254', 80), '169.254.169.254')).toBeNull();
});

const lan = Object.values(networkInterfaces()).flatMap((list) => list?.map((entry) => entry.address) ?? []);
const loopback = [cidr('0.0.0.0/0'), cidr('::/0')];
test.each(['127.0.0.1', '127.9.9.9', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1', ...lan])(
  'our own proxy port by %s is refused, whatever is allowed',
  (address) => {
    const destinations = open(loopback);
    const problem = `${address} is this proxy itself`;
    expect(destinations.addressProblem(target('me.test', 3128), address)).toBe(problem);
    expect(destinations.addressProblem(target('me.test', 8128), address)).toBeNull();
    expect(open().addressProblem(target('me.test', 8128), address)).not.toBeNull();
  },
);

test.each(
  ['127.0.0.1', ...lan.filter((address) => isIPv4(address))].flatMap((ip) => [`::ffff:${ip}`, `64:ff9b::${ip}`]),
)('our own proxy port by %s is refused to a name that may lead anywhere', (address) => {
  const destinations = open([{ match: 'host', value: 'me.test', port: null }]);
  expect(destinations.addressProblem(target('me.test', 3128), address)).toBe(`${address} is this proxy itself`);
});

test('the same port of somebody else is not ours', () => {
  expect(open().addressProblem(target('ok.test', 3128), '93.184.216.34')).toBeNull();
});

test('an address with a NUL or a zone is never an address', () => {
  for (const address of [
    '127.0.0.1\0.ok.test',
    '127.1',
    '2130706433',
    'ok.test',
    '',
    'fe80::1%lo',
    '2606:4700::1%lo',
  ]) {
    let problem: string | null = 'threw';
    try {
      problem = open().addressProblem(target('ok.test'), address);
    } catch {
      // Thrown is refused, too.
    }
    expect(problem).not.toBeNull();
  }
});

test('many addresses do not grow the memory without bound, and the verdicts stay right', () => {
  const destinations = open();
  const wrong: string[] = [];
  for (let i = 0; i < 12_000; i += 1) {
    const tail = `${i >> 8}.${i & 255}`;
    if (destinations.addressProblem(target('ok.test'), `10.0.${tail}`) === null) wrong.push(`10.0.${tail}`);
    if (destinations.addressProblem(target('ok.test'), `9.0.${tail}`) !== null) wrong.push(`9.0.${tail}`);
  }
  expect(wrong).toEqual([]);
});
