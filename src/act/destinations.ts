/**
 * Which addresses and ports may be dialled. A proxy runs inside the network it protects: without this check, its users
 * could reach every private service (SSRF). The classification is Smokescreen's, plus this proxy's own listeners.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Target } from '../flow.ts';
import { canonicalIpv6, lastIpv4 } from '../ip.ts';

/** An exception that permits a destination whose address or port is otherwise prohibited. */
export interface Allowance {
  readonly match: 'cidr' | 'host' | 'suffix';
  /** A CIDR block; a host; or, for `suffix`, a domain without a leading dot, which matches its subdomains only. */
  readonly value: string;
  /** Null: any port. */
  readonly port: number | null;
}

/** A port that this process listens on. */
export interface OwnPort {
  readonly port: number;
  /** Whether it serves the pages: that port can be reached if an allowance permits it, the others never. */
  readonly pages: boolean;
}

/** Cloud metadata services, which hand out credentials. Only an allowance for the single address permits one. */
const METADATA = 'metadata';

/** RFC 6890 and the IANA special-purpose registries, including tunnelling forms that embed an IPv4 address. */
const special: readonly (readonly [string, number, string])[] = [
  ['169.254.169.254', 32, METADATA],
  ['168.63.129.16', 32, METADATA],
  ['100.100.100.200', 32, METADATA],
  ['fd00:ec2::254', 128, METADATA],
  ['fd20:ce::254', 128, METADATA],
  ['0.0.0.0', 8, 'this network'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'carrier-grade NAT'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'protocol assignments'],
  ['192.0.2.0', 24, 'documentation'],
  ['192.88.99.0', 24, '6to4 relay'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'benchmarking'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
  ['::', 96, 'unspecified, loopback and IPv4-compatible'],
  ['::ffff:0:0:0', 96, 'IPv4-translated'],
  ['64:ff9b:1::', 48, 'local NAT64'],
  ['100::', 64, 'discard'],
  ['100:0:0:1::', 64, 'dummy prefix'],
  ['2001::', 32, 'Teredo'],
  ['2001:2::', 48, 'benchmarking'],
  ['2001:10::', 28, 'ORCHID'],
  ['2001:20::', 28, 'ORCHIDv2'],
  ['2001:db8::', 32, 'documentation'],
  ['2002::', 16, '6to4'],
  ['3fff::', 20, 'documentation'],
  ['5f00::', 16, 'segment routing'],
  ['fc00::', 7, 'unique local'],
  ['fe80::', 10, 'link-local'],
  ['fec0::', 10, 'site-local'],
  ['ff00::', 8, 'multicast'],
];

const ranges = special.map(([net, prefix, name]) => {
  const list = new BlockList();
  list.addSubnet(net, prefix, isIPv6(net) ? 'ipv6' : 'ipv4');
  return { list, name };
});

const nat64 = new BlockList();
nat64.addSubnet('64:ff9b::', 96, 'ipv6');
/** Interface identifiers `0:5efe:a.b.c.d`, with or without the universal bit (RFC 5214, section 6.1). */
const isatap = /:0?(?:200)?:?5efe:[0-9a-f]{1,4}:[0-9a-f]{1,4}$/;

/** The special range that contains the address, or null for an address of the public internet. */
export function specialRange(address: string): string | null {
  // The operating system may accept as an address what `isIP` rejects: it stops at a NUL and parses bare numbers.
  if (isIP(address) === 0 || address.includes('%')) return 'not an address';
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (family === 'ipv6') {
    const canonical = canonicalIpv6(address);
    if (nat64.check(canonical, 'ipv6')) return specialRange(lastIpv4(canonical));
    if (isatap.test(canonical)) return 'ISATAP';
  }
  return ranges.find(({ list }) => list.check(address, family))?.name ?? null;
}

const mapped = new BlockList();
mapped.addSubnet('::ffff:0:0', 96, 'ipv6');

/** The address that a packet to this one reaches: the embedded IPv4 address if it is IPv4-mapped or NAT64. */
function reached(address: string): string {
  if (!isIPv6(address)) return address;
  const canonical = canonicalIpv6(address);
  return mapped.check(canonical, 'ipv6') || nat64.check(canonical, 'ipv6') ? lastIpv4(canonical) : canonical;
}

export interface Destinations {
  /** Null if the port may be dialled for this target, otherwise the reason. */
  readonly portProblem: (target: Target) => string | null;
  /** Null if the address may be dialled for this target, otherwise the reason. */
  readonly addressProblem: (target: Target, address: string) => string | null;
}

function compile(allowance: Allowance): (host: string) => boolean {
  if (allowance.match === 'host') return (host) => host === allowance.value;
  const below = `.${allowance.value}`;
  if (allowance.match === 'suffix') return (host) => host.endsWith(below);
  const [net = '', prefix = ''] = allowance.value.split('/');
  const family = isIPv6(net) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(net, Number(prefix), family);
  return (host) => isIPv6(host) === (family === 'ipv6') && /^[\d.]+$|:/.test(host) && list.check(host, family);
}

export function createDestinations(options: {
  readonly ports: readonly number[];
  readonly allow: readonly Allowance[];
  readonly own: () => readonly OwnPort[];
}): Destinations {
  const ports = new Set(options.ports);
  const allowances = options.allow.map((allowance) => ({
    port: allowance.port,
    single: /\/(?:32|128)$/.test(allowance.value) || isIP(allowance.value) !== 0,
    matches: compile(allowance),
  }));
  const allowed = (host: string, port: number, single = false): boolean =>
    allowances.some(
      (entry) => (entry.port === null || entry.port === port) && (entry.single || !single) && entry.matches(host),
    );
  const verdicts = new Map<string, string | null>();

  const rangeOf = (address: string): string | null => {
    const known = verdicts.get(address);
    if (known !== undefined) return known;
    const range = specialRange(address);
    if (verdicts.size >= 10_000) verdicts.clear();
    verdicts.set(address, range);
    return range;
  };

  const isOwnAddress = (address: string, range: string | null): boolean =>
    range === 'loopback' ||
    range === 'this network' ||
    range === 'unspecified, loopback and IPv4-compatible' ||
    Object.values(networkInterfaces()).some((list) => list?.some((entry) => entry.address === reached(address)));

  return {
    portProblem: (target) =>
      ports.has(target.port) || allowed(target.host, target.port) ? null : `port ${target.port} is not an allowed port`,
    addressProblem: (target, address) => {
      const range = rangeOf(address);
      const own = options.own().find((entry) => entry.port === target.port);
      const single = range === METADATA;
      const listed = (!single && allowed(target.host, target.port)) || allowed(address, target.port, single);
      if (own !== undefined && !(own.pages && listed) && isOwnAddress(address, range))
        return `${address} is this proxy itself`;
      return range === null || listed ? null : `${address} is ${range}`;
    },
  };
}
