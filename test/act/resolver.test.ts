import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, expect, test, vi } from 'vitest';
import { createAddresses, createResolver as create, type ResolverOptions } from '../../src/act/resolver.ts';
import { SallyportError } from '../../src/errors.ts';
import type { Hostname, HostKind, Target } from '../../src/flow.ts';

/** One with the servers of the system, unless a test says others. */
const createResolver = (options: Partial<ResolverOptions>) =>
  create({ hosts: {}, servers: [], timeout: 5_000, ...options });

const target = (host: string, kind: HostKind = 'name'): Target => ({ host: host as Hostname, kind, port: 443 });

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** The system's resolver with counted calls; there is no network to ask, but the hosts file it reads is real. */
function counted(): { readonly names: string[] } {
  const real = dns.lookup.bind(dns);
  const names: string[] = [];
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, ...rest: never[]) => {
    names.push(name);
    (real as (...args: unknown[]) => void)(name, ...rest);
  }) as never);
  syncBuiltinESMExports();
  return { names };
}

async function code(resolve: () => unknown): Promise<string> {
  try {
    await resolve();
    return 'none';
  } catch (error) {
    if (error instanceof SallyportError) return error.code;
    throw error;
  }
}

test('addresses are their own answer, without a lookup', () => {
  const { names } = counted();
  const resolver = createResolver({ hosts: {}, timeout: 1_000 });
  expect(resolver.resolve(target('192.0.2.1', 'ipv4'))).toEqual(['192.0.2.1']);
  expect(resolver.resolve(target('::1', 'ipv6'))).toEqual(['::1']);
  expect(names).toEqual([]);
});

test.each(['example.com', 'onelabel'])(
  'whatever is thrown on the way to an answer for %s ends that lookup alone',
  async (name) => {
    const broken = (): never => {
      throw new Error('broken');
    };
    vi.spyOn(dns, 'lookup').mockImplementation(broken);
    syncBuiltinESMExports();
    const { resolve } = createResolver({ domainOf: broken });
    const since = performance.now();
    expect(await code(() => resolve(target(name)))).toBe('dns_error');
    expect(performance.now() - since).toBeLessThan(10_000);
    await expect(async () => resolve(target(name))).rejects.toThrow('broken');
  },
);

test.each([
  ['ok.test', ['192.0.2.1']],
  ['a.below.test', ['192.0.2.2']],
  ['a.b.below.test', ['192.0.2.2']],
  ['c.below.test', ['192.0.2.3']],
  ['x.c.below.test', ['192.0.2.2']],
])('the static name %s', (name, expected) => {
  const hosts = { 'ok.test': '192.0.2.1', '*.below.test': '192.0.2.2', 'c.below.test': '192.0.2.3' };
  expect(createResolver({ hosts, timeout: 1_000 }).resolve(target(name))).toEqual(expected);
});

test.each(['below.test', 'notbelow.test', '__proto__', 'constructor'])('%s is not a static name', async (name) => {
  const resolver = createResolver({ hosts: { '*.below.test': '192.0.2.2' }, timeout: 5_000 });
  expect(await code(() => resolver.resolve(target(`${name}.invalid`.replace('.test.invalid', '.test'))))).toMatch(
    /^dns_/,
  );
});

test('a hundred questions at once are one lookup, and the answer is kept for the next', async () => {
  const names: string[] = [];
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, _options: object, done: (...args: unknown[]) => void) => {
    names.push(name);
    setImmediate(() => done(null, [{ address: '192.0.2.9', family: 4 }]));
  }) as never);
  syncBuiltinESMExports();
  const resolver = createResolver({ hostsFile: '/nowhere' });
  const answers = await Promise.all(Array.from({ length: 100 }, async () => resolver.resolve(target('single'))));
  for (const answer of answers) expect(answer).toEqual(['192.0.2.9']);
  expect(resolver.resolve(target('single'))).toEqual(['192.0.2.9']);
  expect(names).toEqual(['single']);
});

test.each([{}, { 'ok.test': '192.0.2.1' }])(
  'localhost is loopback, and nobody is asked, with the fixed names %o',
  (hosts) => {
    const { names } = counted();
    const resolver = createResolver({ hosts });
    for (const name of ['localhost', 'a.b.localhost']) {
      expect(resolver.resolve(target(name))).toEqual(['127.0.0.1', '::1']);
    }
    expect(names).toEqual([]);
  },
);

test('a failure is shared, kept for a moment, and never an empty answer', async () => {
  const { names } = counted();
  const resolver = createResolver({ hosts: {}, timeout: 5_000 });
  const ask = (): Promise<string> => code(() => resolver.resolve(target('nowhere.invalid')));
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(['dns_error', 'dns_error', 'dns_error']);
  expect(await ask()).toBe('dns_error');
  expect(names).toEqual(['nowhere.invalid']);
});

test('a resolver that does not answer is a timeout, and its late answer harms nobody', async () => {
  let late: (() => void) | undefined;
  vi.spyOn(dns, 'lookup').mockImplementation(((_name: string, _options: object, done: (...args: unknown[]) => void) => {
    late = () => done(null, [{ address: '192.0.2.9', family: 4 }]);
  }) as never);
  syncBuiltinESMExports();
  const resolver = createResolver({ hosts: {}, timeout: 50 });
  expect(await code(() => resolver.resolve(target('slow')))).toBe('dns_timeout');
  late?.();
  expect(await code(() => resolver.resolve(target('slow')))).toBe('dns_timeout');
});

test('an answer without an address is an error', async () => {
  vi.spyOn(dns, 'lookup').mockImplementation(((_name: string, _options: object, done: (...args: unknown[]) => void) =>
    done(null, [])) as never);
  syncBuiltinESMExports();
  expect(await code(() => createResolver({ hosts: {}, timeout: 50 }).resolve(target('empty')))).toBe('dns_error');
});

test.each(['127.0.0.1\0.ok.test', 'ok.test\0', '\0', '127.0.0.1', '::1'])(
  'the name %j is never looked up',
  async (name) => {
    const { names } = counted();
    const resolver = createResolver({ hosts: {}, timeout: 1_000 });
    expect(await code(() => resolver.resolve(target(name)))).toBe('invalid_target');
    expect(names).toEqual([]);
  },
);

test('where a name leads nowhere is for the dial to say', async () => {
  const failing = createAddresses({ resolve: () => Promise.reject(new SallyportError('dns_error')) });
  const known = createAddresses({
    resolve: () => {
      throw new SallyportError('dns_timeout');
    },
  });
  const target = { host: 'gone.test' as Hostname, kind: 'name', port: 443 } as const;
  expect(await failing(target)).toEqual([]);
  expect(known(target)).toEqual([]);
  expect(createAddresses({ resolve: () => ['192.0.2.1'] })(target)).toEqual(['192.0.2.1']);
});
