import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { withConfig } from './folder.ts';

function proxyTls(keys: string): unknown {
  const text = `listen: { proxy_tls: { address: 127.0.0.1:3129, ${keys} } }`;
  return withConfig({ 'sallyport.yaml': text }, (file) => loadConfig(file).proxyTls);
}

test('the port over TLS has its certificate in files, or names for one of our own', () => {
  expect(proxyTls('cert_file: /a.pem, key_file: /a.key')).toMatchObject({
    files: { cert: '/a.pem', key: '/a.key' },
    serverNames: [],
  });
  expect(proxyTls('server_names: Proxy.Test.')).toMatchObject({
    files: null,
    serverNames: [{ host: 'proxy.test', kind: 'name' }],
  });
  expect(proxyTls("server_names: [proxy.test, 192.0.2.7, '[2001:db8::1]', '2001:DB8::2']")).toMatchObject({
    serverNames: [
      { host: 'proxy.test', kind: 'name' },
      { host: '192.0.2.7', kind: 'ipv4' },
      { host: '2001:db8::1', kind: 'ipv6' },
      { host: '2001:db8::2', kind: 'ipv6' },
    ],
  });
});

test.each([
  ['client_certificate: required', /needs "cert_file" and "key_file", or "server_names"/],
  ['cert_file: a.pem', /needs "cert_file" and "key_file", or "server_names"/],
  ['key_file: a.pem', /needs "cert_file" and "key_file", or "server_names"/],
  ['cert_file: a, key_file: b, server_names: a.test', /remove this key, or the files/],
  ['key_file: b, server_names: a.test', /remove this key, or the files/],
  ['server_names: []', /"server_names" is an empty list/],
  ["server_names: '*.a.test'", /has a wildcard; write out each name/],
  ['server_names: a b', /write a host such as example\.com/],
  ['server_names: a.test, client_crl_file: c', /without "client_ca_file" clients present no certificate/],
])('%s is a mistake, told with its line', (keys, told) => {
  expect(() => proxyTls(keys)).toThrow(told);
  expect(() => proxyTls(keys)).toThrow(/sallyport\.yaml:1/);
});
