import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import type { Address, HttpServer } from '../../src/admin/http-server.ts';
import { createPagesServer } from '../../src/admin/pages-server.ts';
import type { Pages, PagesServerOptions } from '../../src/admin/pages-server.ts';
import { createRecent } from '../../src/record/recent.ts';
import { block } from '../record/attempts.ts';
import { raw, statusOf } from './raw-http.ts';

const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const id = '0123456789abcdef01234567';
const page = (name: string) => ({
  html: `<h1>${name}</h1>`,
  csp: `default-src 'none'; style-src '${name}'`,
  language: 'en',
});
const pages: Pages = {
  home: () => page('home'),
  assistant: (token) => page(`assistant ${token ?? 'without token'}`),
  blocked: () => null,
  notFound: () => page('nothing here'),
};

async function start(options: Partial<PagesServerOptions> = {}, host = '127.0.0.1') {
  const faults: string[] = [];
  const server = createPagesServer({
    pages,
    pac: () => ({ proxies: [{ host: 'proxy.corp.example', port: 3128 }], direct: [], failOpen: false }),
    ca: () => ({ pem: '-----BEGIN CERTIFICATE-----\n', der: Buffer.from([0x30, 0x82, 0xff]) }),
    proxyAt: () => 'proxy.test:3128',
    onFault: (fault, error) => void faults.push(`${fault} ${String(error)}`),
    ...options,
  });
  servers.push(server);
  const address = await server.listen({ host, port: 0 });
  const get = (path: string, init: RequestInit = {}) => fetch(`http://${address.host}:${address.port}${path}`, init);
  return { address, get, faults };
}

/** A GET from one of this machine's addresses. */
async function getFrom(localAddress: string, { host, port }: Address, path: string, headers = {}) {
  const answer = await new Promise<{ status: number | undefined; body: Promise<string> }>((resolve, reject) => {
    request({ host, port, path, localAddress, headers }, (message) =>
      resolve({ status: message.statusCode, body: text(message) }),
    )
      .on('error', reject)
      .end();
  });
  return { status: answer.status, body: await answer.body };
}

test.each([
  ['/', 'home'],
  ['/assistant', 'assistant without token'],
  ['/assistant?sallyport=abc.def', 'assistant abc.def'],
  ['/assistant?sallyport=a&sallyport=b', 'assistant without token'],
  [`/assistant?sallyport=${'a'.repeat(5000)}`, 'assistant without token'],
])('%.60s shows %s under the policy of the page', async (path, name) => {
  const { get } = await start();
  const answer = await get(path);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe(`<h1>${name}</h1>`);
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('content-security-policy')).toBe(page(name).csp);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('x-frame-options')).toBe('DENY');
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

test.each(['/', '/assistant', '/proxy.pac', '/wpad.dat', '/ca.pem', '/ca.crt', '/livez'])(
  'HEAD %s is GET without the body',
  async (path) => {
    const { get } = await start();
    const [head, full] = [await get(path, { method: 'HEAD' }), await get(path)];
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
    for (const name of ['content-type', 'content-length']) expect(head.headers.get(name)).toBe(full.headers.get(name));
  },
);

test.each(['/proxy.pac', '/wpad.dat'])('%s names the configured proxy, whatever the request says', async (path) => {
  const { address } = await start();
  const answer = await raw(address, [
    `GET ${path} HTTP/1.1`,
    'Host: evil.test',
    'X-Forwarded-Host: evil.test',
    'Forwarded: host=evil.test',
  ]);
  expect(statusOf(answer)).toBe(200);
  expect(answer).toContain('content-type: application/x-ns-proxy-autoconfig\r\n');
  expect(answer).toContain('PROXY proxy.corp.example:3128');
  expect(answer).not.toContain('evil.test');
});

test('the CA certificate, as PEM and as DER', async () => {
  const { get } = await start();
  const pem = await get('/ca.pem');
  expect(pem.headers.get('content-type')).toBe('application/x-pem-file');
  expect(pem.headers.get('content-disposition')).toBe('attachment; filename="sallyport-ca.pem"');
  expect(await pem.text()).toBe('-----BEGIN CERTIFICATE-----\n');
  const der = await get('/ca.crt');
  expect(der.headers.get('content-type')).toBe('application/x-x509-ca-cert');
  expect(Buffer.from(await der.arrayBuffer())).toEqual(Buffer.from([0x30, 0x82, 0xff]));
});

test.each(['/ca.pem', '/ca.crt'])('without a CA %s is 404', async (path) => {
  const { get } = await start({ ca: () => null });
  expect((await get(path)).status).toBe(404);
});

test('the details of a block are for its client only', async () => {
  const recent = createRecent();
  recent.finished(block({ id, clientAddress: '127.0.0.1' }));
  const blocked: Pages['blocked'] = (asked, visitor) => {
    const found = recent.find(asked, visitor.address);
    return found === null ? null : page(`block of ${found.host}`);
  };
  const { address } = await start({ pages: { ...pages, blocked } });
  const own = await getFrom('127.0.0.1', address, `/blocked/${id}`);
  expect(own).toEqual({ status: 200, body: '<h1>block of claude.ai</h1>' });
  const forged = { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1', 'x-real-ip': '127.0.0.1' };
  for (const headers of [{}, forged]) {
    const other = await getFrom('127.0.0.2', address, `/blocked/${id}`, headers);
    expect(other).toEqual({ status: 404, body: '<h1>nothing here</h1>' });
  }
});

test.each([
  ['zh-CN,zh;q=0.9', 'zh-CN,zh;q=0.9'],
  ['', ''],
])('a page hears which languages are asked for: %j', async (sent, heard) => {
  const asked: string[] = [];
  const home: Pages['home'] = (visitor) => (asked.push(visitor.acceptLanguage), { ...page('home'), language: 'zh' });
  const { address } = await start({ pages: { ...pages, home } });
  const answer = await raw(address, ['GET / HTTP/1.1', 'Host: localhost', `Accept-Language: ${sent}`]);
  expect(asked).toEqual([heard]);
  expect(answer.toLowerCase()).toContain('content-language: zh');
});

test('an IPv4 client of an IPv6 socket keeps its address', async () => {
  const clients: string[] = [];
  const blocked: Pages['blocked'] = (_id, visitor) => (clients.push(visitor.address), page('block'));
  const { address } = await start({ pages: { ...pages, blocked } }, '::');
  await getFrom('127.0.0.1', { host: '127.0.0.1', port: address.port }, `/blocked/${id}`);
  expect(clients).toEqual(['127.0.0.1']);
});

test.each([
  '/blocked/',
  '/blocked/short',
  `/blocked/${id.toUpperCase()}`,
  `/blocked/${id}0`,
  `/blocked/${id}/x`,
  '/blocked/__proto__',
  `/blocked/${'a'.repeat(300)}`,
  '/%2e%2e/',
  '//',
  '/..%5c',
  '/%zz',
  '/ca.key',
  '/metrics',
  '/api/status',
  '/favicon.ico',
])('%.60s is the page that there is nothing', async (path) => {
  const asked: string[] = [];
  const blocked: Pages['blocked'] = (name) => (asked.push(name), page('block'));
  const { address } = await start({ pages: { ...pages, blocked } });
  const answer = await raw(address, [`GET ${path} HTTP/1.1`, 'Host: localhost']);
  expect(statusOf(answer)).toBe(404);
  expect(answer).toContain('<h1>nothing here</h1>');
  expect(asked).toEqual([]);
});

test('a fault shows an id and nothing else', async () => {
  const home: Pages['home'] = () => {
    throw new Error('inner detail');
  };
  const { get, faults } = await start({ pages: { ...pages, home } });
  const answer = await get('/');
  const body = await answer.text();
  expect(answer.status).toBe(500);
  expect(body).toMatch(/^Something went wrong here\. Quote the id [0-9a-f]{24} when you report it\.\n$/);
  expect(faults).toHaveLength(1);
  expect(body).toContain(faults[0]?.split(' ')[0]);
});

test('settings that make no proxy configuration file stop the start', () => {
  const pac = () => ({ proxies: [], direct: [], failOpen: false });
  expect(() => createPagesServer({ pages, pac, ca: () => null, proxyAt: () => '', onFault: () => undefined })).toThrow(
    /no proxy is named/,
  );
});
