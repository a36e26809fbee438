/** Who asks: passwords, and names that a proxy before us vouches for, on the whole product with real clients. */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { labPolicy, startLab, writeConfig, type Lab, type LogLine } from '../support/lab.ts';
import { headerOrigin } from '../support/origins.ts';
import { curl } from '../support/curl.ts';
import { argon2Line, basic, bcryptLine } from '../support/passwords.ts';
import { connectRaw, exchange, rawClient } from '../support/streams.ts';
import { connectHead } from '../support/tunnels.ts';
import { explain } from '../../src/cli/explain.ts';
import { loadConfig } from '../../src/config/load.ts';

type Line = LogLine & { readonly user?: { readonly name: string } };

interface Authenticated extends Lab {
  /** Where the passwords are. */
  readonly passwords: string;
  readonly users: () => (string | undefined)[];
}

async function lab(settings: Readonly<Record<string, unknown>> = {}, clients: object = {}): Promise<Authenticated> {
  const passwords = join(writeConfig(), '../htpasswd');
  writeFileSync(passwords, (await bcryptLine('ada')) + (await argon2Line('bob')));
  const authentication = { password_file: passwords, ...settings };
  const started = await startLab({ settings: { clients: { authentication, ...clients } } });
  onTestFinished(() => started.close());
  return { ...started, passwords, users: () => (started.lines() as Line[]).map(({ user }) => user?.name) };
}

const refused = (fields = ''): string => connectHead('refused.test:443', fields);
const withPassword = (user: string, password?: string): string => `Proxy-Authorization: ${basic(user, password)}\r\n`;

test.each([
  ['a CONNECT', refused()],
  ['a request', 'GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n'],
  ['an upgrade', 'GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'],
])('%s without credentials is asked for them, in a connection that ends with the answer', async (_what, text) => {
  const { proxyPort, lines, metric } = await lab();
  const answer = await exchange(proxyPort, text);
  expect(answer).toMatch(/^HTTP\/1\.1 407 /);
  expect(answer).toContain('\r\nProxy-Authenticate: Basic realm="Acme web proxy", charset="UTF-8"\r\n');
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
  await expect.poll(lines).toMatchObject([{ sallyport: { error: 'authentication_required' } }]);
  expect(await metric('sallyport_authentications_total', 'result="missing"')).toBe(1);
});

test('a browser that goes to a page is shown one when it brings no credentials', async () => {
  const { proxyPort } = await lab();
  const text =
    'GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nAccept: text/html,*/*;q=0.8\r\nAccept-Language: zh\r\n\r\n';
  const answer = await exchange(proxyPort, text);
  expect(answer).toMatch(/^HTTP\/1\.1 407 /);
  expect(answer).toMatch(/\r\nContent-Type: text\/html; charset=utf-8\r\n/i);
  expect(answer).toContain('<html lang="zh">');
});

test.each([
  ['no colon', `Basic ${Buffer.from('ada').toString('base64')}`],
  ['64 KiB within a head', `Basic ${'QUFB'.repeat(3_000)}`],
  ['Digest', 'Digest username="ada", realm="x", nonce="y", uri="z", response="0"'],
  ['NTLM', 'NTLM TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAGAbEdAAAADw=='],
  ['an unknown user', basic('eve')],
  ['a wrong password', basic('ada', 'wrong')],
  ['two fields', `${basic('ada')}\r\nProxy-Authorization: ${basic('bob')}`],
])('%s is answered 407', async (_what, field) => {
  const { proxyPort } = await lab();
  expect(await exchange(proxyPort, refused(`Proxy-Authorization: ${field}\r\n`))).toMatch(/^HTTP\/1\.1 407 /);
});

test.each(['ada', 'bob'])(
  '%s gets through with curl, however it asks, and the origin hears nothing of it',
  async (user) => {
    const { proxyUrl, users } = await lab();
    const origin = await headerOrigin();
    const ways = [
      ['--proxy-basic'],
      ['--proxy-anyauth'],
      ['--proxy-basic', '--proxytunnel'],
      ['--proxy-anyauth', '--proxytunnel'],
    ];
    for (const way of ways) {
      const result = await curl('-x', proxyUrl, '-U', `${user}:${user}-secret`, ...way, origin.url);
      expect([way, result.out]).toEqual([way, 'hi']);
    }
    await expect.poll(() => users().filter((name) => name !== undefined)).toEqual([user, user, user, user]);
    expect(origin.seen).toHaveLength(4);
    expect(origin.seen.join('\n')).not.toMatch(/proxy-authorization/i);
  },
);

test('no credentials are in a log, an answer or a metric', async () => {
  const { proxyPort, lines, metrics, told } = await lab();
  const answers = [
    await exchange(proxyPort, refused(withPassword('ada', 'planted-1'))),
    await exchange(proxyPort, refused(withPassword('ada'))),
    await exchange(proxyPort, `GET http://ok.test:1/ HTTP/1.1\r\nHost: ok.test:1\r\n${withPassword('ada')}\r\n`),
  ];
  await expect.poll(() => lines().length).toBe(3);
  const all = [...answers, JSON.stringify(lines()), await metrics(), ...told].join('\n');
  for (const secret of ['planted-1', 'ada-secret', basic('ada'), basic('ada').slice(6)])
    expect(all).not.toContain(secret);
});

test('each request on a connection brings credentials of its own', async () => {
  const { proxyPort, users } = await lab();
  const origin = await headerOrigin();
  const get = (fields: string): string =>
    `GET ${origin.url} HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n${fields}\r\n`;
  const client = await connectRaw(proxyPort, get(withPassword('ada')));
  await client.until('hi');
  client.write(get(withPassword('bob')));
  await expect.poll(() => origin.seen.length).toBe(2);
  client.write(get(''));
  expect((await client.ended).text).toContain('HTTP/1.1 407 ');
  await expect.poll(users).toEqual(['ada', 'bob', undefined]);
});

test('who opened a tunnel is the user of what comes through it', async () => {
  const { proxyPort, users, ca } = await lab();
  const client = await connectRaw(proxyPort, connectHead('api.anthropic.com:443', withPassword('ada')));
  await client.until('200 Connection established');
  client.socket.removeAllListeners('data');
  const inside = rawClient(connectTls({ socket: client.socket, servername: 'api.anthropic.com', ca }));
  inside.write('GET / HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n');
  expect((await inside.ended).text).toContain('claude-ban');
  await expect.poll(users).toEqual(['ada']);
});

test('where a password is optional, none is no name, and a wrong one is still wrong', async () => {
  const { proxyPort, users } = await lab({ required: false });
  expect(await exchange(proxyPort, refused())).toMatch(/^HTTP\/1\.1 403 /);
  expect(await exchange(proxyPort, refused(withPassword('ada')))).toMatch(/^HTTP\/1\.1 403 /);
  expect(await exchange(proxyPort, refused(withPassword('ada', 'no')))).toMatch(/^HTTP\/1\.1 407 /);
  await expect.poll(users).toEqual([undefined, 'ada', undefined]);
});

test('a change of the file holds by itself; one with a mistake changes nothing and is told', async () => {
  const { proxyPort, passwords, told } = await lab();
  const status = async (user: string): Promise<string> =>
    (await exchange(proxyPort, refused(withPassword(user)))).slice(9, 12);
  expect([await status('ada'), await status('cid')]).toEqual(['403', '407']);
  writeFileSync(passwords, await bcryptLine('cid'));
  await expect.poll(() => status('cid'), { timeout: 8_000 }).toBe('403');
  expect(await status('ada')).toBe('407');
  writeFileSync(passwords, 'cid:in-the-clear\n');
  await expect.poll(() => told.join('\n'), { timeout: 8_000 }).toContain(':1: the hash is neither bcrypt nor argon2');
  expect(told.join('\n')).not.toContain('in-the-clear');
  expect(await status('cid')).toBe('403');
}, 30_000);

test('guesses end in 429 with the time to wait, and are counted', async () => {
  const { proxyPort, metric } = await lab({ attempts: 3 });
  const from = async (localAddress: string, password?: string): Promise<string> => {
    const client = rawClient(connect({ host: '127.0.0.1', port: proxyPort, localAddress }));
    client.write(refused(withPassword('ada', password)));
    return (await client.ended).text.slice(9, 12);
  };
  expect(await from('127.0.0.2')).toBe('403');
  const codes = [];
  for (let i = 0; i < 5; i += 1) {
    const answer = await exchange(proxyPort, refused(withPassword('ada', `guess ${i}`)));
    codes.push(answer.slice(9, 12));
    if (i === 4) expect(answer).toContain('\r\nRetry-After: 60\r\n');
  }
  expect(codes).toEqual(['407', '407', '407', '429', '429']);
  expect(await metric('sallyport_limited_total', 'limit="password_attempts"')).toBe(2);
  // Who guesses right learns it no sooner, and who works elsewhere notices nothing.
  expect([await from('127.0.0.1'), await from('127.0.0.3'), await from('127.0.0.2')]).toEqual(['429', '429', '403']);
  expect(await from('127.0.0.2', 'mistyped')).toBe('407');
  expect(await metric('sallyport_authentications_total', 'result="wrong"')).toBe(4);
});

test('a reload gives no tries back, and forgets nobody', async () => {
  const { proxyPort, gateway, file } = await lab({ attempts: 1 });
  const status = async (password?: string): Promise<string> =>
    (await exchange(proxyPort, refused(withPassword('bob', password)))).slice(9, 12);
  expect(await status('guess')).toBe('407');
  writeFileSync(file, `${readFileSync(file, 'utf8')}\n`);
  expect(await gateway.refresh()).toBe(true);
  expect(await status('another')).toBe('429');
});

test('a flood of dear checks delays nobody whose password is known', async () => {
  const { proxyPort, passwords } = await lab({ attempts: 1000 });
  writeFileSync(passwords, (await bcryptLine('ada', 11)) + (await bcryptLine('bob', 11)));
  await exchange(proxyPort, refused(withPassword('bob')));
  const guesses = Array.from({ length: 30 }, (_, i) => exchange(proxyPort, refused(withPassword('ada', `guess ${i}`))));
  const times: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    const started = performance.now();
    await exchange(proxyPort, refused(withPassword('bob')));
    times.push(performance.now() - started);
  }
  expect(times.toSorted((a, b) => a - b)[10]).toBeLessThan(100);
  for (const answer of await Promise.all(guesses)) expect(answer).toMatch(/^HTTP\/1\.1 407 /);
}, 40_000);

test('a name in a field is believed from a trusted proxy alone, and goes no further', async () => {
  const origin = await headerOrigin();
  const field = 'X-Forwarded-User: carol';
  for (const [trusted, users] of [
    ['127.0.0.1', ['carol', 'carol']],
    ['10.0.0.5', [undefined, undefined]],
  ] as const) {
    const settings = { clients: { user_field: { name: 'X-Forwarded-User', trusted: [trusted] } } };
    const started = await startLab({ settings });
    onTestFinished(() => started.close());
    await curl('-x', started.proxyUrl, '-H', field, origin.url);
    await exchange(started.proxyPort, refused(`${field}\r\n`));
    await expect.poll(() => (started.lines() as Line[]).map(({ user }) => user?.name)).toEqual(users);
  }
  expect(origin.seen).toHaveLength(2);
  expect(origin.seen.join('\n')).not.toContain('carol');
});

test('a denial of a user holds however the name is written, and the log has the name as it was given', async () => {
  const policy = labPolicy
    .replace('rules:', 'groups: { lent: { users: [Ada, bob] } }\nrules:')
    .replace(
      '- { id: refused,',
      '- { id: lent-out, domains: lent.test, groups: lent, effect: deny, reason: Lent. }\n  - { id: refused,',
    );
  const passwords = join(writeConfig(), '../htpasswd');
  writeFileSync(passwords, await bcryptLine('Bob'));
  const started = await startLab({
    policy,
    settings: {
      clients: {
        user_field: { name: 'X-User', trusted: ['127.0.0.1'] },
        authentication: { password_file: passwords },
      },
    },
  });
  onTestFinished(() => started.close());
  const ask = (fields: string) =>
    exchange(
      started.proxyPort,
      `GET http://lent.test/ HTTP/1.1\r\nHost: lent.test\r\nConnection: close\r\n${fields}\r\n`,
    );
  const names = ['ada', 'Ada', 'ADA'];
  for (const name of names) expect(await ask(`X-User: ${name}\r\n`)).toContain('Lent.');
  for (const name of ['CORP\\ada', 'ada@corp.example']) expect(await ask(`X-User: ${name}\r\n`)).not.toContain('Lent.');
  const password = (user: string): string => `Proxy-Authorization: ${basic(user, 'Bob-secret')}\r\n`;
  for (const name of ['Bob', 'bob']) expect(await ask(password(name))).toContain('Lent.');
  const users = () => (started.lines() as Line[]).map(({ user }) => user?.name);
  // Who has a password is known by the name that stands beside it.
  await expect.poll(users).toEqual([...names, 'CORP\\ada', 'ada@corp.example', 'Bob', 'Bob']);
});

test('the groups in a field are believed from a trusted proxy alone, and go no further', async () => {
  const origin = await headerOrigin();
  const field = 'X-Groups: Guests , Chip Design';
  const policy = labPolicy
    .replace('rules:', 'groups: { design: { forwarded: Chip Design } }\nrules:')
    .replace(
      '{ id: claude-ban,',
      '{ id: design-ban, vendors: anthropic, groups: design, effect: deny, reason: Chips. }\n  - { id: claude-ban,',
    );
  for (const [trusted, rule] of [
    ['127.0.0.1', 'design-ban'],
    ['10.0.0.5', 'claude-ban'],
  ] as const) {
    const started = await startLab({
      policy,
      settings: { clients: { groups_field: { name: 'X-Groups', trusted: [trusted] } } },
    });
    onTestFinished(() => started.close());
    await curl('-x', started.proxyUrl, '-H', field, origin.url);
    const inside = ['--cacert', started.caFile, 'https://api.anthropic.com/v1/models'];
    const { out } = await curl('-x', started.proxyUrl, '--proxy-header', field, ...inside);
    expect(out).toContain(rule);
    await expect.poll(() => started.lines().map((line) => line.rule?.id)).toContain(rule);
    // What explain makes of the same word of a proxy that is trusted.
    const shown: string[] = [];
    const io = { out: (line: string) => shown.push(line), err: () => undefined, env: {}, cwd: '.' };
    const forwarded = trusted === '127.0.0.1' ? ['--forwarded', field.slice('X-Groups: '.length)] : [];
    await explain.run(['https://api.anthropic.com/v1/models', ...forwarded, '-c', started.file], io);
    expect(shown[1]).toBe(`  rule       ${rule}`);
  }
  expect(origin.seen.join('\n')).not.toContain('Chip');
});

test('a password file that cannot be used is no start', async () => {
  const { passwords } = await lab();
  writeFileSync(passwords, 'ada:in-the-clear\n');
  const file = writeConfig({ settings: { clients: { authentication: { password_file: passwords } } } });
  expect(() => loadConfig(file)).toThrow(`${passwords}:1: the hash is neither`);
});
