import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { pacFile, pacSettings } from '../../src/admin/pac.ts';
import type { PacSettings, PacTls } from '../../src/admin/pac.ts';

const settings: PacSettings = {
  proxies: [{ host: 'proxy.corp.example', port: 3128 }],
  direct: ['corp.example', '*.partner.example', '2001:db8:1::5'],
  failOpen: false,
};

/** What a browser offers to such a file. Those that look names up are not to be called. */
const browser = {
  isPlainHostName: (host: string) => !host.includes('.'),
  dnsDomainIs: (host: string, domain: string) => host.endsWith(domain),
  localHostOrDomainIs: (host: string, name: string) => host === name || name.startsWith(`${host}.`),
  shExpMatch: (text: string, pattern: string) =>
    new RegExp(
      `^${pattern
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replace(/\*/g, '.*')
        .replace(/\?/g, '.')}$`,
    ).test(text),
  isResolvable: noLookUp,
  isInNet: noLookUp,
  isInNetEx: noLookUp,
  dnsResolve: noLookUp,
  dnsResolveEx: noLookUp,
  myIpAddress: noLookUp,
  alert: noLookUp,
};

function noLookUp(): never {
  throw new Error('the file looks a name up');
}

/** Runs the file as a browser does, for a URL and the host that the browser takes from it. */
function finder(text: string): (url: string, host?: string) => unknown {
  const context = createContext({ ...browser });
  runInContext(text, context);
  return (url, host = new URL(url).hostname) =>
    runInContext('FindProxyForURL(url, host)', Object.assign(context, { url, host })) as unknown;
}

const find = finder(pacFile(settings));
const proxied = 'PROXY proxy.corp.example:3128';

const names = [{ host: 'a.test' }, { host: 'proxy.test' }];
const veiled = (more: Partial<PacTls>): PacTls => ({
  pac: 'first',
  address: { port: 3129 },
  serverNames: names,
  ...more,
});

test.each<[string, PacTls | null, string]>([
  ['no port over TLS', null, 'PROXY proxy.test:3128'],
  ['one that is not to be named', veiled({ pac: 'never' }), 'PROXY proxy.test:3128'],
  ['one that goes first', veiled({}), 'HTTPS proxy.test:3129; PROXY proxy.test:3128'],
  ['one that is all', veiled({ pac: 'only' }), 'HTTPS proxy.test:3129'],
  ['a certificate of unknown names', veiled({ serverNames: [] }), 'HTTPS proxy.test:3129; PROXY proxy.test:3128'],
  [
    'a certificate of another name',
    veiled({ serverNames: [{ host: 'a.test' }] }),
    'HTTPS a.test:3129; PROXY proxy.test:3128',
  ],
])('%s', (_, tls, route) => {
  const settings = pacSettings('http://Proxy.test:8128', 3128, tls);
  expect(finder(pacFile(settings))('https://claude.ai/')).toBe(route);
});

test.each([
  'https://claude.ai/',
  'https://CLAUDE.AI./',
  'http://chatgpt.com:8080/',
  'wss://chatgpt.com/ws',
  'https://8.8.8.8/',
  'http://172.15.0.1/',
  'http://172.32.0.1/',
  'http://192.169.0.1/',
  'http://11.0.0.1/',
  'http://100.128.0.1/',
  'https://[2606:4700::1111]/',
  'https://[::ffff:8.8.8.8]/',
  'https://notcorp.example/',
  'https://corp.example.evil.test/',
  'https://10.evil.test/',
  'https://10.0.0.1.evil.test/',
  'https://fd00.evil.test/',
  'https://localhost.evil.test/',
])('%s goes through the proxy', (url) => {
  expect(find(url)).toBe(proxied);
});

test.each([
  'http://intranet/',
  'http://localhost:3000/',
  'http://LOCALHOST/',
  'http://app.localhost/',
  'http://printer.local/',
  'http://127.0.0.1:8128/',
  'http://127.5.5.5/',
  'http://10.1.2.3/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://169.254.1.1/',
  'http://100.64.0.1/',
  'http://[::1]:8128/',
  'http://[fd12:3456::1]/',
  'http://[fe80::1]/',
  'http://[2001:db8:1::5]/',
  'https://corp.example/',
  'https://wiki.CORP.example/',
  'https://www.partner.example/',
  'http://proxy.corp.example:8128/assistant',
])('%s is reached directly', (url) => {
  expect(find(url)).toBe('DIRECT');
});

test.each([
  ['a number that is an address', '134744072'],
  ['the same in hexadecimal', '0x08080808'],
  ['an IPv6 address as hosts without brackets', '2606:4700::1111'],
  ['an IPv6 address in brackets', '[2606:4700::1111]'],
])('%s is no plain host name', (_name, host) => {
  expect(find(`http://${host}/`, host)).toBe(proxied);
});

test('proxies are tried in their order, and an address stands in brackets', () => {
  const proxies = [
    { host: '10.0.0.5', port: 3128 },
    { host: '2001:db8::9', port: 3129 },
    { host: '[2001:db8::a]', port: 1 },
  ];
  const route = 'PROXY 10.0.0.5:3128; PROXY [2001:db8::9]:3129; PROXY [2001:db8::a]:1';
  expect(finder(pacFile({ proxies, direct: [], failOpen: false }))('https://claude.ai/')).toBe(route);
  expect(finder(pacFile({ proxies, direct: [], failOpen: true }))('https://claude.ai/')).toBe(`${route}; DIRECT`);
});

test.each([
  ['no proxy', { proxies: [] }, /no proxy is named/],
  ['a host that adds a way round', { proxies: [{ host: 'p; DIRECT', port: 1 }] }, /is not a host/],
  ['a host that ends the text', { proxies: [{ host: "p';alert(1)//", port: 1 }] }, /is not a host/],
  ['port 0', { proxies: [{ host: 'p', port: 0 }] }, /0 is not a port/],
  ['a port that is no whole number', { proxies: [{ host: 'p', port: 1.5 }] }, /1.5 is not a port/],
  ['a domain that is code', { direct: ['"];alert(1)//'] }, /is not a domain/],
  ['an empty domain, which would be everything', { direct: ['.'] }, /is not a domain/],
])('%s is refused', (_name, wrong, message) => {
  expect(() => pacFile({ ...settings, ...wrong })).toThrow(message);
});
