/** Header fields in both directions: hop-by-hop ones end here, end-to-end ones cannot be taken away. */
import { expect } from 'vitest';
import { connectRaw } from '../support/streams.ts';
import { askInside } from '../support/tunnels.ts';
import { attack, get, openField, statusOf, type Field } from './field.ts';

const field = openField();
/** PROXY protocol is expected from 127.0.0.1, and from nobody else. */
const behind = openField({
  settings: {
    listen: {
      proxy: '127.0.0.1:0',
      pages: '127.0.0.1:0',
      admin: '127.0.0.1:0',
      proxy_protocol: { trusted: ['192.0.2.0/24'] },
    },
    limits: { head_timeout: '1s' },
  },
});

/** What the origin was sent for a request with these field lines. */
async function passedOn({ send, at, far }: Field, fields: string, method = 'GET'): Promise<string> {
  far.forget();
  const head = get(`http://${at('ok.test')}/`, undefined, `${fields}Connection: close\r\n`).replace('GET', method);
  expect(statusOf(await send(head)), fields).toBe(200);
  return far.bytes().toLowerCase();
}

attack(
  field,
  63,
  'Hop-by-hop fields and those that Connection nominates, in requests and in answers',
  'none is passed on, in either direction',
  async (here) => {
    const { send, at, far } = here;
    far.answerWith((_req, res) => {
      res.setHeader('Connection', 'X-Mine, close');
      res.setHeader('X-Mine', 'of the hop');
      res.setHeader('Keep-Alive', 'timeout=9');
      res.setHeader('Proxy-Authenticate', 'Basic realm="origin"');
      res.setHeader('Proxy-Connection', 'close');
      res.end('the origin');
    });
    const fields = [
      'Connection: X-Secret, close',
      'X-Secret: 1',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'TE: trailers',
      'Trailer: X-Sum',
      'Upgrade: h2c',
      'Proxy-Authenticate: x',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ].join('\r\n');
    const name = at('ok.test');
    const answer = await send(`GET http://${name}/ HTTP/1.1\r\nHost: ${name}\r\n${fields}\r\n\r\n`);
    expect(statusOf(answer)).toBe(200);
    expect(far.bytes().toLowerCase()).not.toMatch(/^(?:x-secret|keep-alive|proxy-|te|trailer|upgrade|http2-settings)/m);
    expect(answer.toLowerCase()).not.toMatch(/^(?:x-mine|keep-alive: timeout=9|proxy-authenticate|proxy-connection)/m);
  },
);

attack(
  field,
  64,
  '`Proxy-Authorization` on a plain request, on the next of a kept connection, for a WebSocket, inside a tunnel',
  'it reaches no origin, no log, no page and no metric',
  async (here) => {
    const { lab, far, at, send } = here;
    const secret = Buffer.from('user:sk-proxy-password').toString('base64');
    const credentials = `Proxy-Authorization: Basic ${secret}\r\n`;
    const shown: string[] = [];
    const client = await connectRaw(lab.proxyPort, get(`http://${at('ok.test')}/1`, undefined, credentials));
    await client.until('the origin');
    client.write(get(`http://${at('ok.test')}/2`, undefined, `${credentials}Connection: close\r\n`));
    shown.push((await client.ended).text);
    const upgrade = `${credentials}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n`;
    shown.push(await send(get(`http://${at('ok.test')}/ws`, undefined, upgrade)));
    shown.push(await send(get(`http://${at('deny.test')}/`, undefined, `${credentials}Accept: text/html\r\n`)));
    const inside = await askInside(lab.proxyPort, lab.ca, `https://${at('deny.test')}/`, {
      headers: { 'proxy-authorization': `Basic ${secret}` },
    });
    shown.push(JSON.stringify(inside), far.bytes(), JSON.stringify(lab.lines()), await lab.metrics(), lab.told.join());
    expect(far.bytes().match(/^GET \//gm)?.length).toBeGreaterThanOrEqual(2);
    for (const text of shown) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain('sk-proxy-password');
    }
  },
);

attack(
  field,
  65,
  'Connection that nominates Host, Cookie, Authorization or what the proxy adds',
  'they go on all the same',
  async (here) => {
    const fields = 'Cookie: a=b\r\nAuthorization: Bearer x\r\n';
    const sent = await passedOn(here, `Connection: Host, Cookie, Authorization, Via, Content-Length\r\n${fields}`);
    expect(sent).toContain(`host: ${here.at('ok.test')}`);
    expect(sent).toContain('cookie: a=b');
    expect(sent).toContain('authorization: bearer x');
    expect(sent).toMatch(/^via: 1\.1 /m);
  },
);

attack(field, 66, 'A Trailer field on a GET without content', 'the request works', async (here) => {
  expect(await passedOn(here, 'Trailer: x\r\n')).not.toMatch(/^trailer/m);
});

attack(
  field,
  67,
  'Fields named `__proto__`, `constructor`, `toString`, `hasOwnProperty`',
  'passed on or dropped; nothing throws, no prototype changes',
  async (here) => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
    await passedOn(here, names.map((name) => `${name}: polluted\r\n`).join(''));
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    here.far.answerWith((_req, res) => {
      for (const name of names) res.setHeader(name, 'polluted');
      res.end('the origin');
    });
    await passedOn(here, '');
  },
);

attack(
  field,
  68,
  '3,000 field lines; 100 Cookie lines; 100 Set-Cookie lines back',
  'kept apart and in order, or 431',
  async (here) => {
    const many = Array.from({ length: 3_000 }, (_, i) => `X${i}: 1\r\n`).join('');
    expect(await here.status(get(`http://${here.at('ok.test')}/`, undefined, many))).toBe(431);
    const cookies = Array.from({ length: 100 }, (_, i) => `c${i}=1`);
    here.far.answerWith((_req, res) => void res.setHeader('Set-Cookie', cookies).end('the origin'));
    const name = here.at('ok.test');
    const lines = cookies.map((cookie) => `Cookie: ${cookie}\r\n`).join('');
    const answer = await here.send(get(`http://${name}/`, undefined, `${lines}Connection: close\r\n`));
    expect([...answer.matchAll(/^set-cookie: (\S+)\r$/gim)].map((match) => match[1])).toEqual(cookies);
    const sent =
      here.far
        .bytes()
        .match(/^cookie: [^\r]*/gim)
        ?.join('; ') ?? '';
    expect(sent.match(/c\d+=1/g)).toEqual(cookies);
  },
);

attack(
  field,
  69,
  'X-Forwarded-For, Forwarded and Via of a client that nobody trusts',
  'never believed: the record has the address of the connection',
  async (here) => {
    const lines = await here.logged(1, () =>
      passedOn(here, 'X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\n'),
    );
    expect(lines[0]?.source).toMatchObject({ ip: '127.0.0.1' });
  },
);

attack(
  behind,
  70,
  'PROXY protocol from a peer that is not listed: v1, v2, UNKNOWN, LOCAL, 65 KiB of TLVs',
  'malformed: refused, and the address in it is never believed',
  async (here) => {
    const v2 = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
    const heads = [
      Buffer.from('PROXY TCP4 203.0.113.9 127.0.0.1 1111 3128\r\n'),
      Buffer.from('PROXY UNKNOWN\r\n'),
      Buffer.concat([v2, Buffer.from([0x21, 0x11, 0, 12, 203, 0, 113, 9, 127, 0, 0, 1, 4, 87, 12, 56])]),
      Buffer.concat([v2, Buffer.from([0x20, 0, 0, 0])]),
      Buffer.concat([v2, Buffer.from([0x21, 0x11, 0xff, 0xff]), Buffer.alloc(0xffff)]),
    ];
    const name = here.at('ok.test');
    for (const head of heads) {
      const bytes = Buffer.concat([head, Buffer.from(get(`http://${name}/`))]);
      expect([0, 400], head.toString('latin1', 0, 20)).toContain(await here.status(bytes));
    }
    expect(here.far.bytes()).toBe('');
    expect(JSON.stringify(here.lab.lines())).not.toContain('203.0.113.9');
  },
);
