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
  `${line}: there is no file ${name} here, and the proxy needs it; create it, or correct the path`;

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

const elsewhere = /^2: the assistant "inhouse" is at .*, which on any machine but the proxy's leads nowhere; write/;

test.each([
  ['0.0.0.0:3128', 'http://127.0.0.1:8128/assistant', true],
  ['0.0.0.0:3128', 'http://[::1]:8128/', true],
  ['10.0.0.5:3128', 'http://localhost:8128/', true],
  ['0.0.0.0:3128', 'https://ai.corp.test/', false],
  ['127.0.0.1:3128', 'http://127.0.0.1:8128/assistant', false],
  ['"[::1]:3128"', 'http://127.0.0.1:8128/assistant', false],
])('a proxy on %s that sends people to %s: %s', (proxy, url, warned) => {
  const found = warnings({
    'sallyport.yaml': `policy: policy.yaml\nlisten: { proxy: ${proxy} }\n`,
    'policy.yaml': goodPolicy.replace('https://ai.corp.test/', `"${url}"`),
  });
  expect(found).toHaveLength(warned ? 1 : 0);
  if (warned) expect(found[0]).toMatch(elsewhere);
});

test('a port over TLS that others reach counts too', () => {
  const found = warnings({
    'sallyport.yaml':
      'policy: policy.yaml\nlisten: { proxy_tls: { address: "0.0.0.0:3129", server_names: [a.test] } }\n',
    'policy.yaml': goodPolicy.replace('https://ai.corp.test/', 'http://127.0.0.1:8128/'),
  });
  expect(found).toEqual([expect.stringMatching(elsewhere)]);
});
