/** Pages and redirects: hostile text is shown literally, and nobody but the configuration says where people go. */
import { expect } from 'vitest';
import { exchange } from '../support/streams.ts';
import { askHttp2, askInside, http2Over, openTunnel } from '../support/tunnels.ts';
import { attack, fieldPolicy, get, openField, statusOf, type Field } from './field.ts';

const policy = `
assistants:
  qoder: { name: '<b>Qoder</b>', url: 'http://assistant.test/start?x=1' }
default_assistant: qoder
rules:
  - id: acme-ban
    vendors: acme
    effect: deny
    reason: "<script>alert(1)</script> </script> \\" ' & \\u202e $& {{7*7}} +ADw-script+AD4-"
  - { id: at-once, domains: at-once.test, effect: deny, redirect: immediate, reason: At once. }
defaults: { unlisted: allow, catalogue: monitor, raw_address: deny }
`;
const field = openField({ policy });
const plainField = openField({ policy: fieldPolicy });

const browser = 'Accept: text/html,application/xhtml+xml\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n';

function navigate({ send, at }: Field, path: string, fields = '', host = 'deny.test'): Promise<string> {
  return send(get(`http://${at(host)}${path}`, at(host), `${browser}${fields}`));
}

async function page(here: Field, path: string, fields = ''): Promise<string> {
  const { body } = await askInside(here.lab.proxyPort, here.lab.ca, `https://${here.at('deny.test')}${path}`, {
    headers: {
      accept: 'text/html',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      referer: '"><script>alert(2)</script>',
      'user-agent': `<img src=x onerror=alert(3)> ${fields}`,
    },
  });
  return body;
}

attack(
  field,
  76,
  'Markup, quotes, UTF-7, RTL marks and template syntax in path, query, agent, referrer and the policy itself',
  'shown literally, in a page that may run nothing and load nothing',
  async (here) => {
    const hostile = '/%3Cscript%3Ealert(1)%3C/script%3E?%22onmouseover=x';
    const html = await page(here, hostile);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).not.toMatch(/<script|<img|onmouseover=|onerror=|<b>Qoder/i);
    expect(html).toContain('{{7*7}}');
    const raw = await navigate(here, hostile);
    expect(raw).toMatch(/^Content-Security-Policy: default-src 'none'/im);
    expect(raw).toMatch(/^X-Content-Type-Options: nosniff/im);
    expect(raw).toMatch(/^Content-Type: text\/html; charset=utf-8/im);
    const json = await here.send(get(`http://${here.at('deny.test')}/`, undefined, 'Accept: application/json\r\n'));
    const body = json.slice(json.indexOf('\r\n\r\n') + 4);
    expect(() => void JSON.parse(Buffer.from(body, 'latin1').toString('utf8'))).not.toThrow();
  },
);

attack(
  field,
  77,
  'Redirect targets from the request: `?next=//evil.test`, back-slashes, `javascript:`, encoded CR LF',
  'Location and buttons lead to the configured origin alone, without query or user information of the request',
  async (here) => {
    const wishes = ['?next=//evil.test', '?url=\\\\evil.test', '?u=javascript:alert(1)', '?x=%0d%0aSet-Cookie:%20a=b'];
    for (const wish of wishes) {
      const answer = await navigate(here, `/${wish}`, '', 'at-once.test');
      expect(statusOf(answer)).toBe(303);
      expect(/^Location: (\S+)\r$/im.exec(answer)?.[1]).toMatch(/^http:\/\/assistant\.test\/start\?x=1&sallyport=/);
      expect(answer).not.toMatch(/evil|javascript:|set-cookie/i);
      const html = await page(here, `/${wish}`);
      const links = [...html.matchAll(/(?:href|url)="?=?(https?:[^"\s;]+)/g)].map(
        (match) => new URL(match[1] ?? '').host,
      );
      const { pages } = here.lab.addresses;
      for (const host of links) expect(['assistant.test', `127.0.0.1:${pages.port}`]).toContain(host);
      expect(html).not.toMatch(/evil\.test|javascript:/);
    }
  },
);

attack(
  field,
  78,
  'CR LF from paths, agents and texts of the configuration into header fields',
  'never a field of their own; the answer is whole',
  async (here) => {
    for (const fields of [
      'User-Agent: a\tb\r\n',
      'X-Odd: \x80\xff\r\n',
      'Accept-Language: en%0d%0aX-Injected: 1\r\n',
    ]) {
      const answer = await navigate(here, '/%0d%0aX-Injected:%201/%E2%80%A8', fields);
      const head = answer.slice(0, answer.indexOf('\r\n\r\n'));
      expect(statusOf(answer)).toBe(403);
      expect(head).not.toMatch(/^x-injected/im);
      for (const line of head.split('\r\n').slice(1)) expect(line).toMatch(/^[\w-]+: [ -~]*$/);
    }
  },
);

attack(
  field,
  79,
  'Other kinds of requests at a rule that redirects: POST, JSON, event streams, gRPC, preflights, HEAD, CONNECT',
  'each gets the shape of its own kind; only a navigation is ever redirected',
  async (here) => {
    const host = here.at('at-once.test');
    const ask = (method: string, fields: string): Promise<string> =>
      here.send(get(`http://${host}/`, host, fields).replace('GET', method));
    for (const [method, fields, status] of [
      ['GET', browser, 303],
      ['POST', `${browser}Content-Length: 0\r\n`, 403],
      ['PUT', `${browser}Content-Length: 0\r\n`, 403],
      ['GET', 'Accept: application/json\r\n', 403],
      ['OPTIONS', 'Origin: http://a.test\r\nAccess-Control-Request-Method: POST\r\n', 204],
    ] as const)
      expect(statusOf(await ask(method, fields)), `${method} ${fields}`).toBe(status);
    const head = await ask('HEAD', 'Accept: application/json\r\n');
    expect(statusOf(head)).toBe(403);
    expect(head).toMatch(/\r\n\r\n$/);
    const stream = await ask('GET', 'Accept: text/event-stream\r\n');
    expect(stream).not.toMatch(/^Content-Type: text\/event-stream/im);
    const session = await http2Over(
      await openTunnel(here.lab.proxyPort, here.at('deny.test')),
      here.lab.ca,
      'deny.test',
    );
    const grpc = await askHttp2(session, {
      ':method': 'POST',
      ':path': '/a.B/C',
      ':authority': here.at('deny.test'),
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    expect(grpc.headers[':status']).toBe(200);
    expect(grpc.headers['grpc-status']).toBe('7');
  },
);

attack(
  plainField,
  80,
  'What an answer could leave behind at the denied origin: caches, HSTS, cookies, wide CORS, a service worker',
  '`no-store`, none of the others; CORS never `*` with credentials; a worker cannot be registered',
  async (here) => {
    const answers = [
      await navigate(here, '/'),
      await here.send(
        get(`http://${here.at('deny.test')}/sw.js`, undefined, 'Service-Worker: script\r\nAccept: */*\r\n'),
      ),
      await here.send(get(`http://${here.at('deny.test')}/`, undefined, 'Origin: http://a.test\r\nCookie: a=b\r\n')),
    ];
    for (const answer of answers) {
      expect(answer).toMatch(/^Cache-Control: no-store\r$/im);
      expect(answer).not.toMatch(/^(?:strict-transport-security|set-cookie|service-worker-allowed):/im);
      const open = /^access-control-allow-origin: \*\r$/im.test(answer);
      expect(open && /^access-control-allow-credentials:/im.test(answer)).toBe(false);
    }
    expect(statusOf(answers[1] ?? '')).toBe(403);
    expect(answers[1]).not.toMatch(/^Content-Type: (?:text|application)\/javascript/im);
  },
);

attack(
  plainField,
  81,
  'The page of a block by its id: guessed ids, ids of others, paths in the place of ids',
  '96 random bits, and the facts of the same client only',
  async (here) => {
    const answer = await navigate(here, '/');
    const id = /^X-Sallyport-Id: ([0-9a-f]{24})\r$/im.exec(answer)?.[1] ?? '';
    const at = `http://127.0.0.1:${here.lab.addresses.pages.port}/blocked/`;
    expect((await fetch(at + id)).status).toBe(200);
    const other = `${id.startsWith('0') ? '1' : '0'}${id.slice(1)}`;
    for (const guess of [other, `${id}/`, `${id}%00`, '../metrics', '__proto__', 'constructor', id.toUpperCase() + '0'])
      expect((await fetch(at + guess)).status, guess).toBe(404);
  },
);

attack(
  plainField,
  82,
  'The pages port under a forged Host or X-Forwarded-Host, and with paths that climb',
  'links lead to the configured name; 404 for everything else',
  async (here) => {
    const { port } = here.lab.addresses.pages;
    const forged =
      'Host: evil.test\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: javascript\r\nConnection: close\r\n';
    const home = await exchange(port, `GET / HTTP/1.1\r\n${forged}\r\n`);
    expect(home).not.toContain('evil.test');
    for (const path of [
      '/%2e%2e/',
      '/..%5c',
      '/../../etc/passwd',
      '/ca.key',
      '/policy',
      '/main.js.map',
      '//evil.test/',
    ])
      expect(statusOf(await exchange(port, `GET ${path} HTTP/1.1\r\n${forged}\r\n`)), path).toBe(404);
  },
);
