/** Credentials, the admin port, metrics and logs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { curl } from '../support/curl.ts';
import { basic, bcryptLine } from '../support/passwords.ts';
import { connectRaw, exchange } from '../support/streams.ts';
import { askInside, connectHead } from '../support/tunnels.ts';
import { attack, fieldPolicy, get, openField, statusOf, type Field } from './field.ts';

const dir = mkdtempSync(join(tmpdir(), 'sallyport-passwords-'));
const passwords = join(dir, 'htpasswd');
writeFileSync(passwords, await bcryptLine('ada'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const field = openField();
const guarded = openField({
  policy: fieldPolicy,
  settings: { clients: { authentication: { password_file: passwords, attempts: 1_000 } } },
  // The check behind each case asks without a password.
  bystander: `Proxy-Authorization: ${basic('ada')}\r\n`,
});

const withPassword = `Proxy-Authorization: ${basic('ada')}\r\n`;

attack(
  guarded,
  111,
  'Clients without credentials, with curl in each of its ways, Digest-only and NTLM-only ones',
  '407 with Proxy-Authenticate in a connection that ends; curl gets through with its password',
  async ({ lab, at, send }) => {
    for (const fields of ['', 'Proxy-Authorization: Digest username="ada"\r\n', 'Proxy-Authorization: NTLM TlRM\r\n']) {
      for (const bytes of [connectHead('ok.test:443', fields), get(`http://${at('ok.test')}/`, undefined, fields)]) {
        const answer = await send(bytes);
        expect(statusOf(answer), bytes).toBe(407);
        expect(answer).toMatch(/^Proxy-Authenticate: Basic realm=/im);
        expect(answer).toMatch(/^Connection: close/im);
      }
    }
    for (const way of ['--proxy-basic', '--proxy-anyauth']) {
      const { exit, out } = await curl('-x', lab.proxyUrl, '-U', 'ada:ada-secret', way, `http://${at('ok.test')}/`);
      expect([exit, out], way).toEqual([0, 'the origin']);
    }
  },
);

attack(
  guarded,
  112,
  'Basic credentials without a colon, empty, of 12 KiB, in bad base64, with NUL or CR LF inside, in lower case',
  '407 for each; user names are escaped in the log, passwords never there',
  async (here) => {
    const encoded = (text: string): string => Buffer.from(text).toString('base64');
    const values = [
      `Basic ${encoded('ada')}`,
      'Basic ',
      `Basic ${encoded(':')}`,
      `Basic ${'QUFB'.repeat(3_000)}`,
      'Basic !!!!',
      `Basic ${encoded('ada\0:ada-secret')}`,
      `Basic ${encoded('ada:ada-secret\r\nX: y')}`,
      `Basic ${encoded('<b>"\u202e:planted-password')}`,
    ];
    for (const value of values)
      expect(await here.status(connectHead('ok.test:443', `Proxy-Authorization: ${value}\r\n`)), value).toBe(407);
    const lower = `Proxy-Authorization: ${basic('ada').replace('Basic', 'basic')}\r\n`;
    expect(await here.status(get(`http://${here.at('ok.test')}/`, undefined, lower))).toBe(200);
    const shown = `${JSON.stringify(here.lab.lines())}${here.lab.told.join('')}${await here.lab.metrics()}`;
    expect(shown).not.toMatch(/planted-password|ada-secret/);
  },
);

attack(
  guarded,
  113,
  'A second request of the same connection without credentials, and requests inside a tunnel that had them',
  'each plain request is asked for its own; inside a tunnel the user is the one who opened it',
  async (here) => {
    const client = await connectRaw(here.lab.proxyPort, get(`http://${here.at('ok.test')}/`, undefined, withPassword));
    await client.until('the origin');
    client.write(get(`http://${here.at('ok.test')}/second`));
    await client.until('HTTP/1.1 407 ');
    expect(here.far.requests()).toHaveLength(1);
    client.socket.destroy();
  },
);

attack(
  field,
  114,
  'The admin port by another Host, from another site, by forms and by GET with side effects, on the other ports',
  '421 or 403; nothing changes, and it is on no other port',
  async ({ lab, send }) => {
    const { admin, pages } = lab.addresses;
    const ask = (fields: string, line = 'GET /api/status'): Promise<string> =>
      exchange(admin.port, `${line} HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`);
    const own = `Host: 127.0.0.1:${admin.port}\r\n`;
    expect(statusOf(await ask(own))).toBe(200);
    expect(statusOf(await ask('Host: evil.test\r\n'))).toBe(421);
    expect([400, 421]).toContain(statusOf(await ask(`${own}Host: evil.test\r\n`)));
    expect(statusOf(await ask(`${own}Origin: http://evil.test\r\n`))).toBe(403);
    expect(statusOf(await ask(`${own}Sec-Fetch-Site: cross-site\r\n`))).toBe(403);
    const form = `${own}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n`;
    expect([403, 404, 405, 413, 415]).toContain(statusOf(await ask(form, 'POST /api/status')));
    for (const path of ['/metrics', '/api/status']) {
      expect(
        statusOf(await exchange(pages.port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)),
      ).toBe(404);
      expect(statusOf(await send(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`))).toBe(400);
    }
  },
);

attack(
  field,
  115,
  'Bodies for the API: odd content types, prototypes, 10 MB, 10,000 levels, two lengths',
  '4xx with an id or a reason; nothing is read past its limit',
  async ({ lab }) => {
    const { admin } = lab.addresses;
    const bodies: readonly (readonly [string, string])[] = [
      ['application/json\tx', '{}'],
      ['application/json garbage', '{}'],
      ['application/json', '{"__proto__":{"admin":true}}'],
      ['application/json', '['.repeat(10_000)],
      ['application/json', '{"a":1,"a":2'],
      ['text/plain', 'x'],
      ['application/json', `"${'a'.repeat(2 << 20)}"`],
    ];
    for (const [type, body] of bodies) {
      for (const path of ['/api/exceptions', '/api/reload', '/api/status', '/api/pauses']) {
        const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${admin.port}\r\nContent-Type: ${type}\r\n`;
        const client = await connectRaw(
          admin.port,
          `${head}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
        );
        client.write(body.slice(0, 1 << 16));
        const text = await Promise.race([
          client.until(/^HTTP\/1\.1 \d{3} [^]*?\r\n\r\n/).catch(() => client.seen()),
          client.ended.then(({ text: all }) => all),
        ]);
        const status = statusOf(text);
        if (path === '/api/reload' && status === 200) continue;
        expect(status === 0 || (status >= 400 && status < 500), `${path} ${type} ${status}`).toBe(true);
        expect(text).not.toMatch(/at \w+ \(|node_modules/);
        client.socket.destroy();
      }
    }
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false);
  },
);

async function series({ lab }: Field): Promise<number> {
  return (await lab.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
}

attack(
  field,
  116,
  'Hosts, methods, agents and server names of an attacker, a new one each time',
  'the number of series stays: labels come from the configuration alone',
  async (here) => {
    const ask = (i: number): Promise<number> =>
      here.status(get(`http://n${i}.deny.test/${i}`, undefined, `User-Agent: agent-${i}\r\n`));
    await ask(0);
    await here.status(connectHead('refused.test:443'));
    const before = await series(here);
    for (let i = 1; i < 200; i += 1) {
      await ask(i);
      await here.status(`M${i} http://n${i}.test/ HTTP/1.1\r\nHost: n${i}.test\r\n\r\n`);
    }
    expect((await series(here)) - before).toBeLessThanOrEqual(4);
  },
);

attack(
  field,
  117,
  'CR, LF, U+2028, escape sequences, 10 KB and invalid UTF-8 in host, path, server name, agent',
  'one line of valid JSON for each attempt, its fields cut to a length',
  async (here) => {
    const lines = await here.logged(3, async () => {
      const agent = `User-Agent: \x1b[31mred \xe2\x80\xa8 \xff\xfe ${'a'.repeat(10_000)}\r\n`.replace('\x1b', '%1b');
      await here.status(Buffer.from(get(`http://${here.at('ok.test')}/%0a%0d%1b[31m`, undefined, agent), 'latin1'));
      await here.status(Buffer.from(get(`http://${here.at('deny.test')}/${'b'.repeat(9_000)}`), 'latin1'));
      await here.status(Buffer.from('CONNECT \x1b[31m:443 HTTP/1.1\r\n\r\n', 'latin1'));
    });
    for (const line of lines) {
      const text = JSON.stringify(line);
      expect(text.length).toBeLessThan(8_000);
      expect(Array.from(text).every((char) => char >= ' ')).toBe(true);
    }
  },
);

attack(
  field,
  118,
  'Keys and tokens in fields, queries, user information and bodies',
  'none is in any log, page, metric or message',
  async (here) => {
    const planted = Array.from({ length: 8 }, (_, i) => `sk-planted-${i}`);
    const [a = '', b = '', c = '', d = '', e = '', f = '', g = '', h = ''] = planted;
    const fields = `Authorization: Bearer ${a}\r\nCookie: s=${b}\r\nX-Api-Key: ${c}\r\nReferer: http://x.test/?k=${d}\r\n`;
    const answers = [
      await here.send(get(`http://${here.at('deny.test')}/?key=${e}`, undefined, `${fields}Accept: text/html\r\n`)),
      await here.send(get(`http://${f}@${here.at('ok.test')}/`, here.at('ok.test'))),
    ];
    await here.send(get(`http://${here.at('ok.test')}/?key=${g}`, undefined, `${fields}Connection: close\r\n`));
    const inside = await askInside(here.lab.proxyPort, here.lab.ca, `https://${here.at('deny.test')}/?k=${e}`, {
      method: 'POST',
      body: JSON.stringify({ prompt: h }),
    });
    answers.push(JSON.stringify(inside));
    await here.logged(0, () => Promise.resolve());
    answers.push(JSON.stringify(here.lab.lines()), here.lab.told.join(''), await here.lab.metrics());
    for (const text of answers) for (const secret of planted) expect(text).not.toContain(secret);
  },
);

attack(
  field,
  119,
  '`/ca.key`, `/policy`, source maps and stack traces on the ports beside the proxy',
  '404 and an id; never a path or a stack',
  async ({ lab }) => {
    const { pages, admin } = lab.addresses;
    for (const { port } of [pages, admin]) {
      for (const path of [
        '/ca.key',
        '/policy',
        '/policy.yaml',
        '/main.js.map',
        '/.env',
        '/src/main.ts',
        '/%2e%2e/certs/ca.key',
      ]) {
        const answer = await exchange(
          port,
          `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
        );
        expect(statusOf(answer), path).toBe(404);
        expect(answer).not.toMatch(/node_modules|at Object|\.ts:\d+/);
      }
    }
  },
);

attack(
  field,
  212,
  'A web page whose own name resolves to the pages port (DNS rebinding)',
  'what the visitor was denied is shown only under an address, a name without a dot, or the configured name',
  async ({ lab, at }) => {
    await exchange(lab.proxyPort, get(`http://${at('deny.test')}/`));
    const { pages } = lab.addresses;
    const home = (host: string): Promise<string> =>
      exchange(pages.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    for (const host of [`127.0.0.1:${pages.port}`, 'proxy', `localhost:${pages.port}`])
      expect(await home(host), host).toContain('acme-ban');
    for (const host of ['evil.test', `evil.test:${pages.port}`, 'evil.test.', 'a/b']) {
      const shown = await home(host);
      expect(statusOf(shown), host).toBeLessThanOrEqual(400);
      expect(shown, host).not.toContain('acme-ban');
    }
  },
);
