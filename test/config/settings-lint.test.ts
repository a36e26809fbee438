import { expect, test } from 'vitest';
import { lint, placedWarnings } from '../../src/config/lint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { goodPolicy, withConfig } from './folder.ts';
import type { Files } from './folder.ts';

function warnings(files: Files): readonly string[] {
  return withConfig(files, (file, dir) =>
    placedWarnings(lint(loadConfig(file), Date.parse('2026-08-01T00:00:00Z'))).map(
      ({ position, message }) => `${position?.line ?? 0}: ${message.replaceAll(`${dir}/`, '')}`,
    ),
  );
}

const missing = (line: number, name: string): string =>
  `${line}: there is no file ${name} here, but the proxy needs it; create it, or correct the path`;

test('files that the settings name and that are not there, each at its line', () => {
  const settings = `policy: policy.yaml
admin:
  token_file: token
outbound:
  ca_file: partners.pem
certificates:
  authority:
    cert_file: ca.pem
    key_file: ca.key
listen:
  proxy_tls:
    address: 127.0.0.1:0
    cert_file: proxy.pem
    key_file: proxy.key
    client_ca_file: staff.pem
`;
  const named = ['token', 'partners.pem', 'ca.pem', 'ca.key', 'proxy.pem', 'proxy.key', 'staff.pem'];
  const lines = [3, 5, 8, 9, 13, 14, 15];
  expect(warnings({ 'sallyport.yaml': settings })).toEqual(named.map((name, i) => missing(lines[i] ?? 0, name)));
  const there = Object.fromEntries(named.map((name) => [name, 'x']));
  expect(warnings({ 'sallyport.yaml': settings, ...there })).toEqual([]);
});

const elsewhere = /^2: the assistant "inhouse" is at .*, which works only on the proxy's own machine; write/;

/** What is not about assistants, where the proxy is open on purpose. */
const named = 'clients: { networks: [10.0.0.0/8, "fd00::/8"] }\npages: { url: "http://proxy.corp.test:8128" }\n';

test.each([
  ['0.0.0.0:3128', 'http://127.0.0.1:8128/assistant', true],
  ['0.0.0.0:3128', 'http://[::1]:8128/', true],
  ['10.0.0.5:3128', 'http://localhost:8128/', true],
  ['0.0.0.0:3128', 'https://ai.corp.test/', false],
  ['127.0.0.1:3128', 'http://127.0.0.1:8128/assistant', false],
  ['"[::1]:3128"', 'http://127.0.0.1:8128/assistant', false],
])('a proxy on %s that sends people to %s: %s', (proxy, url, warned) => {
  const found = warnings({
    'sallyport.yaml': `policy: policy.yaml\nlisten: { proxy: ${proxy} }\n${named}`,
    'policy.yaml': goodPolicy.replace('https://ai.corp.test/', `"${url}"`),
  });
  expect(found).toHaveLength(warned ? 1 : 0);
  if (warned) expect(found[0]).toMatch(elsewhere);
});

test('a port over TLS that others reach counts too', () => {
  const found = warnings({
    'sallyport.yaml': `policy: policy.yaml\nlisten: { proxy_tls: { address: "0.0.0.0:3129", server_names: [a.test] } }\n${named}`,
    'policy.yaml': goodPolicy.replace('https://ai.corp.test/', 'http://127.0.0.1:8128/'),
  });
  expect(found).toEqual([expect.stringMatching(elsewhere)]);
});

const open = (key: string): RegExp =>
  new RegExp(
    `^2: listen\\.${key} is open on 0\\.0\\.0\\.0, and clients\\.networks lets everybody use it; write the networks`,
  );
const hash = '$2b$04$VRj9VvNPxvVJeYIqRlG.nu7BuRUTVPDfPBxcXOWUOhNOUwO.kcyvS';
const url = 'pages: { url: "http://proxy.corp.test:8128" }\n';
const tls = 'proxy_tls: { address: "0.0.0.0:3129", server_names: [a.test]';

test.each<readonly [string, string, RegExp | null]>([
  ['everybody', 'listen: { proxy: 0.0.0.0:3128 }', open('proxy')],
  [
    'everybody over IPv6',
    'listen: { proxy: 0.0.0.0:3128 }\nclients: { networks: [10.0.0.0/8, "::/0"] }',
    open('proxy'),
  ],
  ['everybody, over TLS', `listen: { ${tls} } }`, open('proxy_tls')],
  [
    'everybody who shows no certificate',
    `listen: { ${tls}, client_ca_file: policy.yaml, client_certificate: optional } }`,
    open('proxy_tls'),
  ],
  ['who has a certificate', `listen: { ${tls}, client_ca_file: policy.yaml, client_certificate: required } }`, null],
  [
    'who has a password',
    'listen: { proxy: 0.0.0.0:3128 }\nclients: { authentication: { password_file: htpasswd } }',
    null,
  ],
  [
    'everybody, a password or not',
    'listen: { proxy: 0.0.0.0:3128 }\nclients: { authentication: { password_file: htpasswd, required: false } }',
    open('proxy'),
  ],
  ['its own networks', 'listen: { proxy: 0.0.0.0:3128 }\nclients: { networks: [10.0.0.0/8] }', null],
  ['its own machine', 'listen: { proxy: 127.0.0.1:3128 }', null],
])('a proxy for %s', (_, settings, message) => {
  const found = warnings({ 'sallyport.yaml': `policy: policy.yaml\n${settings}\n${url}`, htpasswd: `ada:${hash}\n` });
  expect(found).toEqual(message === null ? [] : [expect.stringMatching(message)]);
});

test.each([
  ['0.0.0.0:3128', 'pages: { url: "http://127.0.0.1:8128" }', true],
  ['0.0.0.0:3128', 'pages: { url: "http://localhost:8128" }', true],
  ['0.0.0.0:3128', '', true],
  ['127.0.0.1:3128', '', false],
  ['0.0.0.0:3128', url, false],
])('a proxy on %s whose pages are at %s: %s', (proxy, pages, warned) => {
  const settings = `policy: policy.yaml\nlisten: { proxy: ${proxy} }\nclients: { networks: [10.0.0.0/8] }\n${pages}\n`;
  const found = warnings({ 'sallyport.yaml': settings });
  const message =
    /pages\.url is http:\/\/\S+, which works only on the proxy's own machine, and block pages link there; set/;
  expect(found).toEqual(warned ? [expect.stringMatching(message)] : []);
});
