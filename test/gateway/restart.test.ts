import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { needsRestart } from '../../src/gateway/restart.ts';
import { repository } from '../support/lab.ts';
import { join } from 'node:path';

const config = loadConfig(join(repository, 'config/sallyport.yaml'));

test.each<[string, Partial<Config>, readonly string[]]>([
  ['nothing', {}, []],
  ['the policy', { policyHash: 'other', policyFile: '/elsewhere' }, []],
  ['whom the proxy serves', { clients: { ...config.clients, networks: ['10.0.0.0/8'] } }, []],
  ['a port', { listen: { ...config.listen, proxy: { host: '127.0.0.1', port: 1 } } }, ['listen.proxy']],
  ['the CA', { certificates: { ...config.certificates, keyType: 'rsa-2048' } }, ['certificates.key_type']],
  ['limits', { limits: { ...config.limits, connections: 5, clientConnections: 5 } }, ['limits.connections']],
  ['a log', { accessLog: { ...config.accessLog, path: '/tmp/log' } }, ['access_log.path']],
  [
    'several',
    { trust: { ...config.trust, refusals: 9 }, outbound: { ...config.outbound, ports: [443] } },
    ['outbound.ports', 'trust.refusals'],
  ],
])('what waits for a restart: %s', (_, changes, keys) => {
  expect(needsRestart(config, { ...config, ...changes }).toSorted()).toEqual(keys);
});

test('of the port over TLS what its files hold follows, and where it listens waits', () => {
  const proxyTls = {
    address: { host: '127.0.0.1', port: 3129 },
    files: { cert: '/a.pem', key: '/a.key' },
    serverNames: [],
    clientCaFile: '/ca.pem',
    clientCrlFile: null,
    clientCertificate: 'required',
    userFrom: 'cn',
    pac: 'never',
  } as const;
  const started = { ...config, proxyTls };
  const files = { files: { cert: '/b.pem', key: '/b.key' }, clientCaFile: '/cas.pem', clientCrlFile: '/crl.pem' };
  expect(needsRestart(started, { ...started, proxyTls: { ...proxyTls, ...files } })).toEqual([]);
  const elsewhere = { ...proxyTls, address: { ...proxyTls.address, port: 3130 } };
  expect(needsRestart(started, { ...started, proxyTls: elsewhere })).toEqual(['listen.proxy_tls.address']);
});
