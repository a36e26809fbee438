import { X509Certificate, randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { TLSSocket, checkServerIdentity, connect, type ConnectionOptions, type SecureContext } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openAuthority, type Authority } from '../../src/certificates/authority.ts';
import { createLeaves, makeLeafKey, type LeavesOptions } from '../../src/certificates/leaves.ts';
import type { Target } from '../../src/flow.ts';
import { folder, hasOpenssl, hasPython, issuingBelowRoot, options, target } from './workbench.ts';

const day = 86_400_000;

const leafOptions = (given: Partial<LeavesOptions> = {}): LeavesOptions => ({
  key: makeLeafKey('ecdsa-p256'),
  leafDays: 60,
  cacheSize: 100,
  now: Date.now,
  ticketKeys: randomBytes(48),
  ...given,
});

/** Ends TLS with `context` and says hello; gives the port. */
async function serve(context: SecureContext): Promise<number> {
  const server = createServer((socket) => {
    const secure = new TLSSocket(socket, { isServer: true, secureContext: context });
    secure.on('error', () => undefined);
    secure.once('secure', () => secure.end('hello'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

interface Seen {
  /** Absent where a session was resumed. */
  readonly leaf: X509Certificate | undefined;
  readonly protocol: string | null;
  readonly reused: boolean;
  readonly session: Buffer | undefined;
}

/** One handshake, verified for the host of `to`; rejects where the client does. */
async function shake(
  context: SecureContext,
  to: Target,
  authority: Authority,
  more: ConnectionOptions = {},
): Promise<Seen> {
  const client = connect({
    port: await serve(context),
    host: '127.0.0.1',
    ca: authority.anchor.pem,
    servername: to.kind === 'name' ? to.host : '',
    checkServerIdentity: (_name, certificate) => checkServerIdentity(to.host, certificate),
    ...more,
  });
  onTestFinished(() => void client.destroy());
  let session: Buffer | undefined;
  client.on('session', (ticket: Buffer) => (session = ticket));
  await once(client, 'secureConnect');
  const [leaf, protocol, reused] = [client.getPeerX509Certificate(), client.getProtocol(), client.isSessionReused()];
  expect(client.authorized).toBe(true);
  expect(await text(client)).toBe('hello');
  return { leaf, protocol, reused, session };
}

const targets = [
  target('claude.ai'),
  target(`${'l'.repeat(63)}.${'m'.repeat(63)}.test`),
  target('192.0.2.7', 'ipv4'),
  target('2001:db8::1', 'ipv6'),
];

describe.each(['ecdsa-p256', 'rsa-2048'] as const)('with keys of type %s', (keyType) => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('Node shakes hands with each kind of host, %s', async (version) => {
    const authority = await openAuthority(options({ keyType }));
    const leaves = createLeaves(authority, leafOptions({ key: makeLeafKey(keyType) }));
    for (const to of targets) {
      const { leaf, protocol } = await shake(leaves.contextFor(to), to, authority, {
        minVersion: version,
        maxVersion: version,
      });
      expect(protocol).toBe(version);
      expect(leaf?.subjectAltName?.split(', ')).toHaveLength(1);
    }
  });

  test.runIf(hasPython)('Python shakes hands with its strict flag set, and no other name will do', async () => {
    const authority = await openAuthority(options({ keyType }));
    const leaves = createLeaves(authority, leafOptions({ key: makeLeafKey(keyType) }));
    const script = [
      'import socket, ssl, sys',
      'context = ssl.create_default_context(cafile=sys.argv[1])',
      'context.verify_flags |= ssl.VERIFY_X509_STRICT',
      'plain = socket.create_connection(("127.0.0.1", int(sys.argv[2])))',
      'try: print(context.wrap_socket(plain, server_hostname=sys.argv[3]).read(5).decode())',
      'except ssl.SSLCertVerificationError as error: print(error.verify_message)',
    ].join('\n');
    const ask = async (to: Target, name: string): Promise<string> => {
      const port = await serve(leaves.contextFor(to));
      const child = spawn('python3', ['-c', script, authority.certFile, String(port), name]);
      return (await text(child.stdout)) + (await text(child.stderr));
    };
    for (const to of targets) expect(await ask(to, to.host)).toBe('hello\n');
    expect(await ask(target('claude.ai'), 'www.claude.ai')).toMatch(/Hostname mismatch/);
    expect(await ask(target('192.0.2.7', 'ipv4'), '192.0.2.8')).toMatch(/IP address mismatch/);
  });

  test.each([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA' }],
    ['no forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }],
  ] as const)('refuses a client that offers nothing better than %s', async (_what, offer) => {
    const authority = await openAuthority(options({ keyType }));
    const context = createLeaves(authority, leafOptions({ key: makeLeafKey(keyType) })).contextFor(target('x.test'));
    await expect(shake(context, target('x.test'), authority, offer)).rejects.toThrow(/alert|SSL|protocol/i);
  });
});

test.runIf(hasOpenssl)('a client that knows only the root of a brought CA gets the intermediate too', async () => {
  const authority = await openAuthority(options({ own: issuingBelowRoot(folder()) }));
  const context = createLeaves(authority, leafOptions()).contextFor(target('x.test'));
  const { leaf } = await shake(context, target('x.test'), authority);
  expect(leaf?.issuer).toBe('O=Own\nCN=Issuing');
  expect(authority.anchor.subject).toBe('O=Own, CN=Root');
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a session is resumed with its own host alone, %s', async (maxVersion) => {
  const authority = await openAuthority(options());
  const ticketKeys = randomBytes(48);
  const [first, second] = [0, 1].map(() => createLeaves(authority, leafOptions({ ticketKeys })));
  if (first === undefined || second === undefined) throw new Error('unreachable');
  const [one, two] = [target('one.test'), target('two.test')];
  const { session } = await shake(first.contextFor(one), one, authority, { maxVersion });
  const more = { maxVersion, session };
  expect((await shake(first.contextFor(one), one, authority, more)).reused).toBe(true);
  // The keys of the tickets are shared, as between processes; the leaf keys are not.
  expect((await shake(second.contextFor(one), one, authority, more)).reused).toBe(true);
  expect((await shake(first.contextFor(two), two, authority, more)).reused).toBe(false);
});

test('who cannot resume a session gets none that could be, and the same leaf', async () => {
  const authority = await openAuthority(options());
  const leaves = createLeaves(authority, leafOptions());
  const to = target('one.test');
  // More often than hosts share a context.
  for (let n = 0; n < 8; n += 1) {
    const { leaf, session, protocol } = await shake(leaves.contextFor(to, false), to, authority);
    expect(protocol).toBe('TLSv1.3');
    expect((await shake(leaves.contextFor(to, false), to, authority, { session })).reused).toBe(false);
    const resuming = await shake(leaves.contextFor(to), to, authority);
    expect(resuming.leaf?.serialNumber).toBe(leaf?.serialNumber);
    expect((await shake(leaves.contextFor(to), to, authority, { session: resuming.session })).reused).toBe(true);
  }
  expect(leaves.stats()).toMatchObject({ minted: 1, size: 1 });
});

/** The leaf that a connection gets which begins now. */
function leafIn(context: SecureContext): X509Certificate {
  const native = context.context as { getCertificate: () => Buffer };
  return new X509Certificate(native.getCertificate());
}

test('each of many connections at once gets the leaf of its own host, however often it was asked for', async () => {
  const authority = await openAuthority(options());
  const leaves = createLeaves(authority, leafOptions());
  const hosts = Array.from({ length: 12 }, (_, index) => target(`h${index}.test`));
  const server = createServer((socket) => {
    const name = hosts[Number(socket.remotePort) % hosts.length] ?? target('h0.test');
    const secure = new TLSSocket(socket, { isServer: true, secureContext: leaves.contextFor(name) });
    secure.on('error', () => undefined);
    secure.once('secure', () => secure.end(name.host));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const ask = async (): Promise<void> => {
    const client = connect({ port, host: '127.0.0.1', ca: authority.anchor.pem, checkServerIdentity: () => undefined });
    await once(client, 'secureConnect');
    const named = client.getPeerX509Certificate()?.subjectAltName;
    expect(named).toBe(`DNS:${await text(client)}`);
  };
  await Promise.all(Array.from({ length: 120 }, ask));
  // As many hosts as the ports of the clients made, each with one leaf.
  expect(leaves.stats().minted).toBe(leaves.stats().size);
  expect(leaves.stats().cached).toBe(120 - leaves.stats().minted);
});

test.runIf(hasOpenssl)('what is sent behind a leaf stays the same, whichever leaf it is', async () => {
  const authority = await openAuthority(options({ own: issuingBelowRoot(folder()) }));
  const leaves = createLeaves(authority, leafOptions());
  const sent = async (host: string): Promise<string[]> => {
    const port = await serve(leaves.contextFor(target(host)));
    const client = spawn('openssl', ['s_client', '-showcerts', '-connect', `127.0.0.1:${port}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return [...(await text(client.stdout)).matchAll(/^ *\d s:(.*)$/gm)].map((line) =>
      (line[1] ?? '').replaceAll(' = ', '='),
    );
  };
  for (const host of ['one.test', 'two.test', 'three.test', 'one.test', 'one.test', 'one.test', 'one.test', 'one.test'])
    expect(await sent(host)).toEqual([`CN=${host}`, 'O=Own, CN=Issuing']);
});

describe('the cache', () => {
  test('gives the same leaf for the same host, and a context of its own to one that is asked for often', async () => {
    const leaves = createLeaves(await openAuthority(options()), leafOptions());
    const { serialNumber } = leafIn(leaves.contextFor(target('x.test')));
    const shared = leaves.contextFor(target('y.test'));
    expect(leafIn(shared).subjectAltName).toBe('DNS:y.test');
    const contexts = Array.from({ length: 6 }, (_, index) => {
      const context = leaves.contextFor(target('x.test', 'name', 8443 + index));
      expect(leafIn(context).serialNumber).toBe(serialNumber);
      return context;
    });
    expect(contexts.map((context) => context === shared)).toEqual([true, true, true, false, false, false]);
    expect(contexts[5]).toBe(contexts[3]);
    expect(leaves.stats()).toEqual({ minted: 2, cached: 6, size: 2 });
  });

  test('is bounded, and what was used last stays', async () => {
    const leaves = createLeaves(await openAuthority(options()), leafOptions({ cacheSize: 10 }));
    const kept = leafIn(leaves.contextFor(target('kept.test'))).serialNumber;
    for (let index = 0; index < 50; index += 1) {
      leaves.contextFor(target(`h${index}.test`));
      expect(leafIn(leaves.contextFor(target('kept.test'))).serialNumber).toBe(kept);
    }
    expect(leaves.stats()).toEqual({ minted: 51, cached: 50, size: 10 });
  });

  test('renews at half the life of a leaf, and when the clock was set back before its beginning', async () => {
    const start = Date.now();
    let now = start;
    const leaves = createLeaves(await openAuthority(options()), leafOptions({ leafDays: 30, now: () => now }));
    const serialAt = (time: number): string => {
      now = time;
      return leafIn(leaves.contextFor(target('x.test'))).serialNumber;
    };
    const first = serialAt(start);
    expect(serialAt(start + 14.9 * day)).toBe(first);
    const renewed = serialAt(start + 15.1 * day);
    expect(renewed).not.toBe(first);
    expect(serialAt(start + 14.2 * day)).toBe(renewed);
    expect(serialAt(start)).not.toBe(renewed);
    expect(leaves.stats()).toEqual({ minted: 3, cached: 2, size: 1 });
  });
});

test.each([30, 60, 90])('a leaf of %i days begins yesterday and ends in time', async (leafDays) => {
  const authority = await openAuthority(options());
  const now = Date.now();
  const context = createLeaves(authority, leafOptions({ leafDays })).contextFor(target('x.test'));
  const { leaf } = await shake(context, target('x.test'), authority);
  expect(Math.abs(Date.parse(leaf?.validFrom ?? '') - (now - day))).toBeLessThan(10_000);
  expect(Math.abs(Date.parse(leaf?.validTo ?? '') - (now + leafDays * day))).toBeLessThan(10_000);
});

test('no leaf outlives its CA, and an expired CA signs nothing', async () => {
  const made = Date.now() - 1800 * day;
  const authority = await openAuthority(options({ now: () => made }));
  let now = Date.now();
  const leaves = createLeaves(authority, leafOptions({ now: () => now }));
  const { leaf } = await shake(leaves.contextFor(target('x.test')), target('x.test'), authority);
  expect(Date.parse(leaf?.validTo ?? '')).toBe(authority.notAfter);
  now = authority.notAfter + 1;
  expect(() => leaves.contextFor(target('x.test'))).toThrow(
    expect.objectContaining({ code: 'internal_error' }) as Error,
  );
});
