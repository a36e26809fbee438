import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { doctor } from '../../src/cli/doctor.ts';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { UsageError, type Io } from '../../src/cli/verb.ts';
import { makeCertificate } from '../support/certificate.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { labPolicy, repository, shippedVendors, writeConfig, type Lab } from '../support/lab.ts';
import { closedPort, labOfTest } from '../support/origins.ts';
import { httpOrigin } from '../support/streams.ts';

interface Ran {
  readonly exit: number;
  readonly text: string;
}

async function run(args: readonly string[], env: Io['env'] = {}): Promise<Ran> {
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  const exit = await doctor.run(args, { out: line, err: line, env, cwd: repository });
  return { exit, text: lines.join('\n') };
}

async function findings(args: readonly string[], env: Io['env'] = {}): Promise<Readonly<Record<string, Finding>>> {
  const { text } = await run([...args, '--json'], env);
  const told = JSON.parse(text) as { findings: Finding[] };
  return Object.fromEntries(told.findings.map((finding) => [finding.check, finding]));
}

function configOfTest(settings: Readonly<Record<string, unknown>> = {}, policy = labPolicy): string {
  const file = writeConfig({ settings, policy });
  onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
  return file;
}

/** Names of the lab's policy that no DNS knows. */
const resolvable = { vendors: shippedVendors, outbound: { hosts: { 'assistant.test': '127.0.0.1' } } };

const anyPorts = { proxy: '127.0.0.1:0', pages: '127.0.0.1:0', admin: '127.0.0.1:0' };

describe('on the machine of the proxy', () => {
  test('a good configuration has only good findings, before the first start', async () => {
    const policy = labPolicy.replace('http://assistant.test/', 'http://localhost/');
    const told = await findings(['-c', configOfTest({}, policy)]);
    expect(Object.values(told).filter(({ status }) => status === 'bad')).toEqual([]);
    expect(told['CA']?.says).toContain('the first start makes it');
    expect(told['DNS']).toMatchObject({ status: 'good', says: 'resolves localhost' });
  });

  test.each([
    ['asked over TLS', {}, 'good', 'is answered by a running proxy'],
    ['left alone where it wants certificates', { client_ca_file: 'certs/ca.pem' }, 'skipped', 'a client certificate'],
  ])('the port over TLS is %s', async (_, more, status, says) => {
    const address = `127.0.0.1:${await closedPort()}`;
    const settings = { listen: { ...anyPorts, proxy_tls: { address, server_names: ['localhost'] } } };
    const lab = await labOfTest({ settings });
    const asked = stringify({
      ...resolvable,
      listen: { ...anyPorts, proxy_tls: { ...settings.listen.proxy_tls, ...more } },
    });
    writeFileSync(lab.file, asked);
    expect((await findings(['-c', lab.file]))['port proxy_tls']).toMatchObject({
      status,
      says: expect.stringContaining(says) as string,
    });
  });

  test('one that cannot be read is the only finding', async () => {
    const file = configOfTest();
    writeFileSync(file, 'listn: {}\n');
    const { exit, text } = await run(['-c', file]);
    expect(exit).toBe(1);
    expect(text).toMatch(/^BAD {3}configuration .*unknown key "listn"/);
    expect(text).toContain('-> correct it');
  });

  test('a running proxy holds its ports, and another process is told apart', async () => {
    const lab = await labOfTest();
    const stranger = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void stranger.close());
    const place = (port: number): string => `127.0.0.1:${port}`;
    const { proxy, pages } = lab.addresses;
    const admin = place((stranger.address() as AddressInfo).port);
    writeFileSync(
      lab.file,
      stringify({ ...resolvable, listen: { proxy: place(proxy.port), pages: place(pages.port), admin } }),
    );
    const told = await findings(['-c', lab.file]);
    expect(told['port proxy']).toMatchObject({
      status: 'good',
      says: expect.stringContaining('a running proxy') as string,
    });
    expect(told['port pages']).toMatchObject({ status: 'good' });
    expect(told['port admin']).toMatchObject({
      status: 'bad',
      says: `${admin} is taken by another process`,
      cure: 'end that process, or change listen.admin',
    });
    expect(told['CA']).toMatchObject({ status: 'good' });
  });

  test('what a running proxy says of itself: that it serves, and then that its new files are broken', async () => {
    const lab = await labOfTest();
    const place = (port: number): string => `127.0.0.1:${port}`;
    const { proxy, pages, admin } = lab.addresses;
    const listen = { proxy: place(proxy.port), pages: place(pages.port), admin: place(admin.port) };
    const file = configOfTest({ ...resolvable, listen });
    const good = await findings(['-c', file]);
    expect(good['readiness']).toMatchObject({ status: 'good' });
    expect(good['reload']).toMatchObject({ status: 'good' });
    writeFileSync(join(lab.dir, 'policy.yaml'), 'ruls: []\n');
    expect(lab.gateway.reload()).toBe(false);
    expect((await findings(['-c', file]))['reload']).toMatchObject({
      status: 'bad',
      says: 'the running proxy could not read its files again, and goes on with what it read before',
      cure: 'correct what "sallyport check" names, then run "sallyport reload"',
    });
  });

  test('what a running proxy says of itself: that it waits for a list', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/list`;
    const listed = `lists:\n  far: { url: '${url}' }\n${labPolicy}`.replace(
      'rules:',
      'rules:\n  - { id: far, lists: far, effect: deny, reason: Far. }',
    );
    const lab = await labOfTest({ policy: listed });
    const { admin } = lab.addresses;
    const file = configOfTest({ ...resolvable, listen: { ...anyPorts, admin: `127.0.0.1:${admin.port}` } });
    expect((await findings(['-c', file]))['readiness']).toMatchObject({
      status: 'bad',
      says: 'the running proxy says 503 to /readyz: the list far, which a denial names, has not been loaded yet',
    });
  });

  test('a key that others can read, a log that cannot be written, and too many connections are said', async () => {
    const lab = await labOfTest();
    chmodSync(join(lab.dir, 'certs/ca.key'), 0o644);
    writeFileSync(
      lab.file,
      stringify({
        vendors: shippedVendors,
        access_log: { path: '/does/not/exist/access.log' },
        limits: { connections: 1_000_000 },
      }),
    );
    const told = await findings(['-c', lab.file]);
    expect(told['CA']).toMatchObject({ status: 'bad', says: expect.stringContaining('chmod 600') as string });
    expect(told['access log']).toMatchObject({ status: 'bad', says: expect.stringContaining('ENOENT') as string });
    if (process.platform === 'linux') expect(told['open files']).toMatchObject({ status: 'warning' });
  });

  test('a CA that has no folder to be made in yet is said', async () => {
    const told = await findings(['-c', configOfTest({ certificates: { dir: '/does/not/exist/certs' } })]);
    expect(told['CA']).toMatchObject({
      status: 'bad',
      says: 'there is none yet, and no folder /does/not/exist to make it in',
      cure: expect.stringContaining('make that folder') as string,
    });
  });

  test('names are resolved as the proxy does it: by its own servers, but for those that the configuration fixes', async () => {
    await using dns = await startDnsServer({
      'assistant.test': { A: ['127.0.0.1'] },
      'example.com': { A: ['127.0.0.1'] },
    });
    const outbound = { hosts: {}, dns_servers: [dns.address] };
    const told = await findings(['-c', configOfTest({ outbound })]);
    expect(told['DNS']).toMatchObject({ status: 'good', says: 'resolves assistant.test' });
    expect(dns.asked).toContain('A assistant.test');

    const fixed = await findings(['-c', configOfTest({ outbound: { ...outbound, hosts: { '*.test': '127.0.0.1' } } })]);
    expect(fixed['DNS']).toMatchObject({ status: 'good', says: 'resolves example.com' });

    delete dns.zone['assistant.test'];
    const gone = await findings(['-c', configOfTest({ outbound })]);
    expect(gone['DNS']).toMatchObject({
      status: 'bad',
      says: 'does not resolve assistant.test (ENOTFOUND)',
      cure: `check outbound.dns_servers (${dns.address}) and the route to them`,
    });
  });

  test('a name that DNS does not know is said', async () => {
    const told = await findings(['-c', configOfTest({ outbound: { hosts: {} } })]);
    expect(told['DNS']).toMatchObject({ status: 'bad', says: expect.stringContaining('assistant.test') as string });
  });

  test.each([
    [['--proxy', 'x:1'], /--proxy is for a client's machine; add --client/],
    [['--client', '--proxy', 'http://'], /not the address of a proxy/],
    [['--client', '--proxy', '127.0.0.1:1', '--nonsense'], /nonsense/],
  ])('%j is a wrong use', async (args, complaint) => {
    await expect(run(args)).rejects.toThrow(UsageError);
    await expect(run(args)).rejects.toThrow(complaint);
  });
});

function at({ addresses, proxyPort }: Lab, ...more: readonly string[]): string[] {
  const pages = `http://127.0.0.1:${addresses.pages.port}`;
  return ['--client', '--proxy', `127.0.0.1:${proxyPort}`, '--pages', pages, ...more];
}

describe("on a client's machine", () => {
  test('all that is reached is good, and what does not trust the CA has its cure', async () => {
    const lab = await labOfTest();
    const url = lab.proxyUrl;
    const env = { HTTPS_PROXY: url, https_proxy: url, NODE_EXTRA_CA_CERTS: lab.caFile, PATH: process.env['PATH'] };
    const told = await findings(at(lab), env);
    for (const check of ['environment', 'proxy', 'pages', 'PAC', 'clock', 'CA', 'denied host', 'trust: Node.js'])
      expect([check, told[check]?.status, told[check]?.says]).toEqual([check, 'good', told[check]?.says]);
    expect(told['trust: system']?.status).not.toBe('good');
  });

  test('looking is not taken for a program that trusts the CA', async () => {
    const lab = await labOfTest();
    await findings(at(lab));
    expect(await lab.metric('sallyport_client_trust_total', 'result="accepted"')).toBe(0);
  });

  test('a host that is refused at the CONNECT, one that is not denied, and another CA are told apart', async () => {
    const lab = await labOfTest();
    expect((await findings(at(lab, '--probe', 'refused.test')))['denied host']).toMatchObject({
      status: 'warning',
      says: expect.stringContaining('403 policy_denied') as string,
    });
    const allowed = (await findings(at(lab, '--probe', 'nobody.test')))['denied host'];
    expect(allowed?.status).not.toBe('good');
    const dir = mkdtempSync(join(tmpdir(), 'doctor-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const stranger = await labOfTest();
    expect((await findings(at(lab, '--ca', stranger.caFile)))['CA file']).toMatchObject({ status: 'bad' });
    await expect(run(at(lab, '--ca', join(dir, 'none.pem')))).rejects.toThrow(/holds no readable certificate/);
  });

  test('a proxy that wants a password, or that is named over TLS, is told as such', async () => {
    const lab = await labOfTest();
    const users = join(dirname(lab.file), 'users');
    writeFileSync(users, `ada:$2y$05$${'a'.repeat(53)}\n`);
    const locked = await labOfTest({ settings: { clients: { authentication: { password_file: users } } } });
    expect((await findings(at(locked)))['denied host']).toMatchObject({
      status: 'warning',
      cure: expect.stringContaining('http://USER:PASSWORD@HOST:PORT') as string,
    });
    expect((await findings(['--client', '--proxy', `https://127.0.0.1:${lab.proxyPort}`]))['proxy']).toMatchObject({
      status: 'bad',
      says: expect.stringContaining('cannot be reached') as string,
    });
    expect((await findings(['--client', '--proxy', `socks5://127.0.0.1:${lab.proxyPort}`]))['proxy']).toMatchObject({
      status: 'bad',
      cure: expect.stringContaining('http://HOST:3128') as string,
    });
  });

  test('the port over TLS is looked at, with its certificate, before anything is sent there', async () => {
    const port = await closedPort();
    const address = `127.0.0.1:${port}`;
    const lab = await labOfTest({
      settings: { listen: { ...anyPorts, proxy_tls: { address, server_names: ['localhost'], pac: 'first' } } },
    });
    const pages = ['--pages', `http://127.0.0.1:${lab.addresses.pages.port}`];
    const told = await findings(['--client', '--proxy', `https://localhost:${port}`, ...pages]);
    for (const check of ['proxy', 'proxy TLS', 'PAC', 'denied host'])
      expect([check, told[check]?.status, told[check]?.says]).toEqual([check, 'good', told[check]?.says]);
    const byAddress = await findings(['--client', '--proxy', `https://${address}`, ...pages]);
    expect(byAddress['proxy TLS']).toMatchObject({
      status: 'bad',
      says: 'its certificate is for DNS:localhost, not for 127.0.0.1',
      cure: expect.stringContaining('listen.proxy_tls.server_names') as string,
    });
    expect(byAddress['denied host']?.status).toBe('skipped');
    const blind = await findings(['--client', '--proxy', `https://localhost:${port}`, '--pages', '127.0.0.1:1']);
    expect(blind['proxy TLS']?.says).toMatch(/not valid \(.*(ISSUER|SELF|VERIFY).*\)/);
  });

  test('a port over TLS that wants a client certificate is told as such', async () => {
    const port = await closedPort();
    const staff = makeCertificate('staff.test');
    onTestFinished(staff.remove);
    const overTls = { address: `127.0.0.1:${port}`, server_names: ['localhost'], client_ca_file: staff.file };
    await labOfTest({ settings: { listen: { ...anyPorts, proxy_tls: overTls } } });
    expect((await findings(['--client', '--proxy', `https://localhost:${port}`]))['proxy']).toMatchObject({
      status: 'bad',
      says: expect.stringContaining('asks for a client certificate') as string,
    });
  });

  test.each<[string, Io['env'], Finding['status']]>([
    ['nothing', {}, 'warning'],
    ['one spelling', { HTTPS_PROXY: 'http://a:1' }, 'warning'],
    ['two proxies', { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:1' }, 'bad'],
    ['everything round it', { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://a:1', NO_PROXY: '*' }, 'bad'],
  ])('an environment that names %s', async (_what, env, status) => {
    expect((await findings(['--client', '--proxy', '127.0.0.1:1'], env))['environment']?.status).toBe(status);
  });

  test('no proxy, a proxy that is not there, and a server that is none are told apart', async () => {
    expect((await findings(['--client']))['proxy']).toMatchObject({ status: 'bad', says: 'no proxy is named' });
    const nobody = (await findings(['--client', '--proxy', '127.0.0.1:1']))['proxy'];
    expect(nobody?.says).toContain('cannot be reached (ECONNREFUSED)');
    const { port } = await httpOrigin((_req, res) => res.end('hello'));
    const stranger = (await findings(['--client', '--proxy', `127.0.0.1:${port}`]))['proxy'];
    expect(stranger?.says).toContain('it is not Sallyport');
  });

  test('a clock that is wrong is said', async () => {
    const lab = await labOfTest();
    const { port } = await httpOrigin((req, res) => {
      res.statusCode = req.url === '/ca.pem' ? 404 : 200;
      res.setHeader('Date', new Date(Date.now() + 900_000).toUTCString());
      res.end('function FindProxyForURL() { return "PROXY other.test:1"; }');
    });
    const told = await findings(['--client', '--proxy', `127.0.0.1:${lab.proxyPort}`, '--pages', `127.0.0.1:${port}`]);
    expect(told['clock']).toMatchObject({
      status: 'bad',
      says: expect.stringMatching(/^(?:899|900) s behind/) as string,
    });
    expect(told['PAC']).toMatchObject({ status: 'warning', says: expect.stringContaining('other.test:1') as string });
    expect(told['CA']).toMatchObject({ status: 'warning' });
    expect(told['trust']).toMatchObject({ status: 'skipped' });
  });
});
