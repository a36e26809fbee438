import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLdap, escapeDn, escapeFilter, type FindUser } from '../../src/identify/ldap.ts';
import { makeCertificate, type TestCertificate } from '../support/certificate.ts';
import { people, reader, slapdIsThere, startDirectory, suffix, type TestDirectory } from '../support/directory.ts';

const checked = slapdIsThere('users of a directory (LDAP)');

const direct: FindUser = { kind: 'name', name: `uid={user},${people}` };
const search = {
  kind: 'search',
  base: suffix,
  filter: '(&(objectClass=inetOrgPerson)(uid={user}))',
  reader: { name: reader.dn, password: () => reader.password },
  userAttribute: 'uid',
  groupAttribute: null,
} as const satisfies FindUser;

interface Setting {
  readonly urls?: readonly string[];
  readonly caFile?: string | null;
  readonly timeout?: number;
  readonly atOnce?: number;
  readonly queue?: number;
}

function backend(find: FindUser, { urls = [], caFile = null, timeout = 3_000, atOnce = 4, queue = 10 }: Setting) {
  const told: string[] = [];
  let refused = 0;
  const ca = caFile === null ? null : readFileSync(caFile);
  const servers = urls.map((url) => ({ url, ca, timeout }));
  const ldap = createLdap({
    servers,
    find,
    atOnce,
    queue,
    refused: () => (refused += 1),
    log: (line) => void told.push(line),
  });
  const check = (user: string, password = `${user}-secret`) => ldap.verify({ user, password });
  return { check, told, refused: () => refused, countedBy: ldap.countedBy };
}

const at = ({ url, caFile }: TestDirectory): Setting => ({ urls: [url], caFile });

/** Takes connections, and does with them what it is told. */
async function oddServer(met: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    met(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.skipIf(!checked)('with a real directory', () => {
  test.each([
    ['a name to bind with', direct, 'ada'],
    ['a search', search, 'Ada'],
  ])('%s tells the good password from the wrong one', async (_what, find, name) => {
    const { check, told } = backend(find, at(await startDirectory()));
    expect(await check('ada', 'Ada-secret')).toEqual({ user: name });
    expect(await check('ADA', 'Ada-secret')).toEqual({ user: name });
    expect(await check('  ａｄａ ', 'Ada-secret')).toEqual({ user: name });
    expect(await check('ada', 'ada-secret')).toBe(false);
    expect(await check('nobody')).toBe(false);
    expect(await check('a\u00adda', 'Ada-secret')).toBe(false);
    expect(told).toEqual([]);
  });

  test.each([
    ['a name to bind with', direct],
    ['a search', search],
  ])('with %s an empty password is nobody’s, although the server takes it', async (_what, find) => {
    const { check } = backend(find, at(await startDirectory()));
    expect(await check('bob', '')).toBe(false);
    expect(await check('bob')).toEqual({ user: 'bob' });
  });

  test.each([
    ['a name to bind with', direct],
    ['a search', search],
  ])('with %s no user name is read as a part of the question', async (_what, find) => {
    const { check } = backend(find, at(await startDirectory()));
    expect(await check('*', 'bob-secret')).toBe(false);
    expect(await check('b*b', 'bob-secret')).toBe(false);
    expect(await check('bob)(uid=*', 'bob-secret')).toBe(false);
    expect(await check('x)(|(uid=bob)', 'bob-secret')).toBe(false);
    expect(await check(`bob,${people}`, 'bob-secret')).toBe(false);
    expect(await check('$&', 'bob-secret')).toBe(false);
    expect(await check('eve,ou=people', 'eve-secret')).toEqual({ user: 'eve,ou=people' });
  });

  test('groups come along, by their short names and by their whole ones', async () => {
    const { check } = backend({ ...search, groupAttribute: 'memberof' }, at(await startDirectory()));
    const whole = ['cn=Chip Design', String.raw`cn=Tea\2C green`].map((name) => `${name},ou=groups,${suffix}`);
    expect(await check('ada', 'Ada-secret')).toEqual({
      user: 'Ada',
      groups: ['Chip Design', whole[0], 'Tea, green', whole[1]],
    });
    expect(await check('bob')).toEqual({ user: 'bob' });
  });

  test('STARTTLS comes before the first password', async () => {
    const directory = await startDirectory();
    const { check } = backend(search, { ...at(directory), urls: [directory.plainUrl] });
    expect(await check('bob')).toEqual({ user: 'bob' });
    expect(await check('bob', 'no')).toBe(false);
  });

  test.each([
    ['a certificate of an unknown authority', (url: string) => url, null, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [
      'a certificate for another name',
      (url: string) => url.replace('127.0.0.1', 'localhost'),
      'own',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('%s ends it, with and without STARTTLS', async (_what, renamed, ca, code) => {
    const directory = await startDirectory();
    for (const url of [directory.url, directory.plainUrl]) {
      const { check, told } = backend(search, {
        urls: [renamed(url)],
        caFile: ca === null ? null : directory.caFile,
      });
      expect(await check('bob')).toBeNull();
      expect(told.join()).toContain(code);
    }
  });

  test.each([
    ['a reader with a wrong password', { reader: { ...search.reader, password: () => 'no' } }, 'bind_dn'],
    ['a reader without a password', { reader: { ...search.reader, password: () => '' } }, 'bind_dn'],
    ['two entries for one user', { filter: '(|(uid={user})(mail={user}))' }, 'more than one'],
    ['a base that is not there', { base: 'dc=elsewhere' }, 'result 32'],
    ['an attribute that is not there', { userAttribute: 'employeeNumber' }, 'employeeNumber'],
  ])('%s is no verdict, and is told once', async (_what, change, told) => {
    const tried = backend({ ...search, ...change }, at(await startDirectory()));
    const user = 'filter' in change ? 'shared@corp.test' : 'bob';
    expect(await tried.check(user, 'bob-secret')).toBeNull();
    expect(await tried.check(user, 'bob-secret')).toBeNull();
    expect(tried.told).toHaveLength(1);
    expect(tried.told[0]).toContain(told);
    expect(tried.told.join()).not.toMatch(/bob-secret|reader-secret/);
  });

  test('where one server is down the next is asked, and then first', async () => {
    const directory = await startDirectory();
    let met = 0;
    const dead = await oddServer((socket) => {
      met += 1;
      socket.destroy();
    });
    const { check, told } = backend(direct, { ...at(directory), urls: [dead.replace('ldap', 'ldaps'), directory.url] });
    expect(await check('bob')).toEqual({ user: 'bob' });
    expect(await check('cid')).toEqual({ user: 'cid' });
    expect(met).toBe(1);
    expect(told).toHaveLength(1);
  });

  test('a server that comes back is asked again', async () => {
    const directory = await startDirectory();
    const { check, told } = backend(direct, at(directory));
    await directory.stop();
    expect(await check('bob')).toBeNull();
    expect(told.join()).toContain('ECONNREFUSED');
    await directory.start();
    expect(await check('bob')).toEqual({ user: 'bob' });
  });
});

test.each([
  ['says nothing', () => undefined],
  ['speaks another protocol', (socket: Socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n')],
])('a server that %s is waited for as long as it may take', async (_what, met) => {
  for (const scheme of ['ldap', 'ldaps']) {
    const url = (await oddServer(met)).replace('ldap', scheme);
    const started = performance.now();
    expect(await backend(direct, { urls: [url], timeout: 200 }).check('bob')).toBeNull();
    expect(performance.now() - started).toBeLessThan(2_000);
  }
});

test('a server that hangs up or refuses STARTTLS gets no password', async () => {
  const heard: Buffer[] = [];
  const refusing = await oddServer((socket) => {
    socket.on('data', (bytes: Buffer) => {
      heard.push(bytes);
      // ExtendedResponse to message 2: protocolError.
      socket.write(Buffer.from('300c02010278070a010204000400', 'hex'));
    });
  });
  const closing = await oddServer((socket) => {
    socket.once('data', (bytes: Buffer) => {
      heard.push(bytes);
      socket.end(Buffer.from('300c02010278070a010004000400', 'hex'));
    });
  });
  for (const url of [refusing, closing])
    expect(await backend(direct, { urls: [url], timeout: 1_000 }).check('bob')).toBeNull();
  expect(heard.length).toBeGreaterThan(0);
  expect(Buffer.concat(heard).toString('latin1')).not.toContain('bob');
});

test('more checks than may wait are turned away, and those that waited for nothing wait no longer', async () => {
  let met = 0;
  const url = await oddServer(() => (met += 1));
  const { check, refused } = backend(direct, { urls: [url], timeout: 300, atOnce: 2, queue: 3 });
  expect(await Promise.all(Array.from({ length: 7 }, (_, i) => check(`user${i}`)))).toEqual(new Array(7).fill(null));
  expect([refused(), met]).toEqual([2, 2]);
});

/** Answers to the first request of a connection, message 2: what they say is the LDAP result. */
const bindResult = (code: number, why = ''): Buffer =>
  Buffer.concat([
    Buffer.from([0x30, 12 + why.length, 2, 1, 2, 0x61, 7 + why.length, 10, 1, code, 4, 0, 4, why.length]),
    Buffer.from(why),
  ]);
const startTlsResult = Buffer.from('300c02010278070a010004000400', 'hex');

/** Ends the TLS that follows on STARTTLS, and answers every bind in it; `early` comes before the TLS. */
function behindStartTls(certificate: TestCertificate, early: Buffer, answer: Buffer) {
  return oddServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.concat([startTlsResult, early]));
      const inner = new TLSSocket(socket, { isServer: true, cert: certificate.cert, key: certificate.key });
      inner.on('error', () => undefined).on('data', () => void inner.write(answer));
    });
  });
}

test('what somebody slips in before the TLS is no part of an answer', async () => {
  const certificate = makeCertificate('127.0.0.1');
  onTestFinished(() => certificate.remove());
  const wrong = bindResult(49, 'x'.repeat(0x60));
  // "Success", whose diagnostic message swallows the answer that comes later.
  const slippedIn = Buffer.from([
    0x30,
    12 + wrong.length,
    2,
    1,
    2,
    0x61,
    7 + wrong.length,
    10,
    1,
    0,
    4,
    0,
    4,
    wrong.length,
  ]);
  const setting = { caFile: certificate.file, timeout: 1_000 };
  for (const early of [Buffer.alloc(0), slippedIn, Buffer.concat([bindResult(0), slippedIn])]) {
    const url = await behindStartTls(certificate, early, wrong);
    expect(await backend(direct, { ...setting, urls: [url] }).check('ada')).toBe(false);
  }
  const url = await behindStartTls(certificate, Buffer.alloc(0), bindResult(0));
  expect(await backend(direct, { ...setting, urls: [url] }).check('ada')).toEqual({ user: 'ada' });
});

test.each(['{user}@corp.test', String.raw`CORP\{user}`])('in %s, which is no DN, a user has no signs', async (name) => {
  const certificate = makeCertificate('127.0.0.1');
  onTestFinished(() => certificate.remove());
  const url = await behindStartTls(certificate, Buffer.alloc(0), bindResult(0));
  const { check } = backend({ kind: 'name', name }, { urls: [url], caFile: certificate.file });
  expect(await check('ada')).toEqual({ user: 'ada' });
  for (const user of ['ada@corp.test', String.raw`EVIL\ada`, 'cn=ada', 'ada,ou=x'])
    expect(await check(user)).toBe(false);
});

test('attempts are counted for all spellings of one name', () => {
  const { countedBy } = backend(direct, {});
  expect(['ada', 'ADA', ' Ada', 'ａｄａ', 'ada  '].map(countedBy)).toEqual(new Array(5).fill('ada'));
  expect(countedBy('ada lovelace')).toBe(countedBy('Ada   Lovelace'));
});

test('what has a meaning in a filter or a name is escaped', () => {
  expect(escapeFilter('a*(b)\\\0é')).toBe('a\\2a\\28b\\29\\5c\\00é');
  expect(escapeDn(' a,b+c"d\\e<f>g;h=i#j\0é ')).toBe('\\20a\\2cb\\2bc\\22d\\5ce\\3cf\\3eg\\3bh\\3di\\23j\\00é\\20');
});
