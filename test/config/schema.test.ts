import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { complaint, withConfig } from './folder.ts';
import type { Files } from './folder.ts';

type Case = readonly [name: string, files: Files, line: string];

const broken: readonly Case[] = [
  [
    'an unknown key',
    { 'sallyport.yaml': 'acess_log: { path: x }\n' },
    'sallyport.yaml:1:1: unknown key "acess_log"; did you mean "access_log"?',
  ],
  [
    'unknown keys in a section',
    { 'sallyport.yaml': 'tunnels:\n  idle_timout: 1h\n  zzzzzzzzz: 1\n' },
    'sallyport.yaml:2:3: unknown key "idle_timout"; did you mean "idle_timeout"? (and 1 more)',
  ],
  [
    'a catalogue to fetch without a key to verify it',
    { 'sallyport.yaml': 'vendors_url: https://updates.corp.test/catalogue.json\n' },
    'sallyport.yaml:1:14: "vendors_url" needs the key that its bundles are signed with; name it as "vendors_key"',
  ],
  [
    'a number of workers that is none',
    { 'sallyport.yaml': 'workers: many\n' },
    'sallyport.yaml:1:10: "workers" must be a whole number from 1 to 256, or auto for one on each core',
  ],
  [
    'a duration that is no text at all',
    { 'sallyport.yaml': 'limits:\n  drain_timeout: [30s]\n' },
    'sallyport.yaml:2:18: "drain_timeout" must be text, not a list; correct it',
  ],
  [
    'the admin port on that of the proxy',
    { 'sallyport.yaml': 'listen:\n  proxy: 127.0.0.1:3128\n  admin: 127.0.0.1:3128\n' },
    'sallyport.yaml:3:10: listen.admin is 127.0.0.1:3128, which is also the port of listen.proxy; give each its own port',
  ],
  [
    'a port on all addresses that another has on one',
    { 'sallyport.yaml': 'listen:\n  proxy: 0.0.0.0:8128\n' },
    'sallyport.yaml:2:3: listen.pages is 127.0.0.1:8128, which is also the port of listen.proxy; give each its own port',
  ],
  [
    'and the other way about',
    { 'sallyport.yaml': 'listen:\n  admin: "[::]:3128"\n' },
    'sallyport.yaml:2:10: listen.admin is [::]:3128, which is also the port of listen.proxy; give each its own port',
  ],
  [
    'a port out of range in a list',
    { 'sallyport.yaml': 'outbound:\n  ports: [443, 70000]\n' },
    'sallyport.yaml:2:16: "ports" is 70000; write 65535 or less',
  ],
  [
    'a port out of range in an address',
    { 'sallyport.yaml': 'listen:\n  proxy: 127.0.0.1:70000\n' },
    'sallyport.yaml:2:10: "70000" is not a port; write 0 to 65535',
  ],
  [
    'a port alone',
    { 'sallyport.yaml': 'listen:\n  proxy: 3128\n' },
    'sallyport.yaml:2:10: 3128 is not an address to listen on; write 127.0.0.1:3128, or 0.0.0.0:3128 for every address',
  ],
  [
    'an address without a port',
    { 'sallyport.yaml': 'listen:\n  proxy: "[::1]"\n' },
    'sallyport.yaml:2:10: "[::1]" is not an address to listen on; write host:port, such as 127.0.0.1:3128',
  ],
  [
    'a duration in words',
    { 'sallyport.yaml': 'tunnels:\n  idle_timeout: 1 hour\n' },
    'sallyport.yaml:2:17: "1 hour" is not a duration; write a number and a unit, such as 500ms, 10s, 5m or 1h',
  ],
  [
    'a duration beyond the timers',
    { 'sallyport.yaml': 'tunnels:\n  idle_timeout: 30d\n' },
    'sallyport.yaml:2:17: "30d" is out of range; write 1ms to 24d',
  ],
  [
    'a duration without unit',
    { 'sallyport.yaml': 'tunnels:\n  idle_timeout: 10\n' },
    'sallyport.yaml:2:17: "idle_timeout" is 10 without a unit; write 10s for seconds, or use ms, m, h or d',
  ],
  [
    'an unknown key type',
    { 'sallyport.yaml': 'certificates:\n  key_type: rsa-2084\n' },
    'sallyport.yaml:2:13: "key_type" must be one of ecdsa-p256, rsa-2048, not "rsa-2084"; did you mean "rsa-2048"?',
  ],
  [
    'days out of range and a half authority',
    { 'sallyport.yaml': 'certificates:\n  leaf_days: 400\n  authority: {cert_file: a}\n' },
    'sallyport.yaml:2:14: "leaf_days" is 400; write 90 or less (and 1 more)',
  ],
  [
    'another scheme',
    { 'sallyport.yaml': 'pages:\n  url: ftp://x\n' },
    'sallyport.yaml:2:8: "ftp://x" is not a URL; write one that begins with http:// or https://',
  ],
  [
    'a base URL with a query',
    { 'sallyport.yaml': 'pages:\n  url: http://x/?a=b\n' },
    'sallyport.yaml:2:8: the URL of the pages may not have a query or fragment; remove them',
  ],
  [
    'a URL with credentials, which are not repeated',
    { 'sallyport.yaml': 'pages:\n  url: http://u:hunter2@x/\n' },
    'sallyport.yaml:2:8: a URL here may not contain credentials; remove them',
  ],
  [
    'host bits behind the prefix',
    { 'sallyport.yaml': 'outbound:\n  allow: ["10.0.0.1/8"]\n' },
    'sallyport.yaml:2:11: "10.0.0.1/8" has bits set after its prefix; write 10.0.0.0/8 for the block',
  ],
  [
    'four bad destinations',
    { 'sallyport.yaml': 'outbound:\n  allow: ["10.0.0.0/33", "foo bar", "a:99999", "*.10.0.0.1"]\n' },
    'sallyport.yaml:2:11: "10.0.0.0/33" has no valid prefix length; write 0 to 32 after the slash (and 3 more)',
  ],
  [
    'a name that begins with a bare star',
    { 'sallyport.yaml': 'outbound:\n  hosts:\n    "a b": 10.0.0.1\n    good.test: nope\n    *.test: 1.2.3.4\n' },
    'sallyport.yaml:5:5: text that begins with * is an alias, which is not supported; put it in quotes',
  ],
  [
    'a bad name and a bad address',
    { 'sallyport.yaml': 'outbound:\n  hosts:\n    "a b": 10.0.0.1\n    good.test: nope\n' },
    'sallyport.yaml:3:5: "a b" has a character that is not allowed in host names; write a host such as example.com (and 1 more)',
  ],
  [
    'a section without value',
    { 'sallyport.yaml': 'outbound:\n' },
    'sallyport.yaml:1:10: "outbound" must be a mapping of keys, not empty; give it a value or remove the key',
  ],
  [
    'a list instead of keys',
    { 'sallyport.yaml': '- a\n' },
    'sallyport.yaml:1:1: the file must be a mapping of keys, not a list; correct it',
  ],
  ['an empty file', { 'sallyport.yaml': '' }, 'sallyport.yaml:1:1: the file is empty; write its keys, or {} for none'],
  [
    'only comments',
    { 'sallyport.yaml': '# nothing\n' },
    'sallyport.yaml:1:1: the file is empty; write its keys, or {} for none',
  ],
];

describe('sallyport.yaml is refused with its line', () => {
  test.each(broken)('%s', (_, files, line) => {
    expect(complaint(files)).toBe(line);
  });
});

describe('sallyport.yaml', () => {
  test('has a default for every key', () => {
    withConfig({ 'sallyport.yaml': '{}' }, (file, dir) => {
      expect(loadConfig(file)).toEqual({
        policy: expect.anything() as unknown,
        policyOfFile: expect.anything() as unknown,
        exceptionsFile: join(dir, 'exceptions.jsonl'),
        stored: { contents: expect.anything() as unknown, problem: null },
        vendors: expect.anything() as unknown,
        catalogue: {
          version: expect.stringMatching(/^[0-9a-f]{12}$/) as unknown,
          checked: '2026-07-10',
          overlaid: 0,
          fetched: null,
          unused: null,
        },
        catalogueFrom: { vendors: join(dir, 'vendors'), key: null, overlay: null, updates: null },
        reload: 'watch',
        workers: 1,
        policyHash: expect.stringMatching(/^[0-9a-f]{12}$/) as unknown,
        files: expect.arrayContaining([file]) as unknown,
        file,
        policyFile: join(dir, 'policy.yaml'),
        proxyProtocol: { trusted: [] },
        proxyTls: null,
        clients: { networks: ['0.0.0.0/0', '::/0'], authentication: null, userField: null, groupsField: null },
        admin: { hosts: [], tokenFile: null },
        listen: {
          proxy: { host: '127.0.0.1', port: 3128 },
          pages: { host: '127.0.0.1', port: 8128 },
          admin: { host: '127.0.0.1', port: 9128 },
        },
        pages: {
          url: 'http://127.0.0.1:8128',
          language: 'en',
          company: { name: 'Your company', contact: null, colour: null, logo: null },
        },
        certificates: {
          dir: join(dir, 'certs'),
          keyType: 'ecdsa-p256',
          leafDays: 60,
          organisation: 'Sallyport',
          authority: null,
        },
        accessLog: { path: '-', format: 'ecs' },
        outbound: { ports: [443, 80], allow: [], hosts: {}, dnsServers: [], connectTimeout: 10_000, caFile: null },
        tunnels: {
          helloTimeout: 10_000,
          idleTimeout: 3_600_000,
          drainIdle: 15_000,
          drainTimeout: 300_000,
          tlsRequiredPorts: [443],
          httpPorts: [80],
        },
        limits: {
          connections: 20_000,
          clientConnections: 19_000,
          tunnels: 20_000,
          clientTunnels: 19_000,
          clientRequests: 0,
          connectionLifetime: 86_400_000,
          leafCertificates: 200,
          headTimeout: 15_000,
          responseTimeout: 600_000,
          drainTimeout: 30_000,
        },
        redirect: { contextLifetime: 600_000 },
        trust: { refusals: 3, window: 600_000, fallback: 600_000 },
        blockEvents: { window: 600_000, path: 'none', webhook: null },
      });
    });
  });

  test('takes every key; paths count from its folder', () => {
    const text = `
policy: policy.yaml
vendors: vendors
listen: { proxy: '[::]:0', pages: 'LOCALHOST:80', admin: 127.0.0.1:1 }
pages: { url: 'https://gate.corp.test/ai//', language: zh, company: { name: Acme, contact: it@corp.test } }
certificates:
  dir: /var/lib/sallyport
  key_type: rsa-2048
  leaf_days: 30
  organisation: Acme
  authority: { cert_file: ca.pem, key_file: ../ca.key, passphrase_file: /run/secrets/ca }
access_log: { path: access.log, format: squid }
outbound:
  ports: [443]
  allow: [127.0.0.1:8128, 10.0.0.0/8, '*.Lab.test:9000', wiki.test, '[fd00::/8]:443', '::1']
  hosts: { '*.Lab.test': 10.0.0.1, Wiki.test.: '::1' }
  dns_servers: [10.0.0.53, '10.0.0.53:5353', 'fd00::53', '[fd00::0053]:5353']
  connect_timeout: 500ms
tunnels: { hello_timeout: 1s, idle_timeout: 2m, tls_required_ports: [], http_ports: [8080] }
limits: { connections: 1, head_timeout: 2s, drain_timeout: 1d }
redirect: { context_lifetime: 1h }
trust: { refusals: 0, window: 1m, fallback: 2m }
block_events: { window: 1h, path: events.log, webhook: 'https://hooks.test/x' }
`;
    withConfig({ 'sallyport.yaml': text }, (file, dir) => {
      expect(loadConfig(file)).toMatchObject({
        listen: {
          proxy: { host: '::', port: 0 },
          pages: { host: 'localhost', port: 80 },
          admin: { host: '127.0.0.1', port: 1 },
        },
        pages: { url: 'https://gate.corp.test/ai', language: 'zh', company: { name: 'Acme', contact: 'it@corp.test' } },
        certificates: {
          dir: '/var/lib/sallyport',
          keyType: 'rsa-2048',
          leafDays: 30,
          authority: {
            certFile: join(dir, 'ca.pem'),
            keyFile: join(dir, '../ca.key'),
            passphraseFile: '/run/secrets/ca',
          },
        },
        accessLog: { path: join(dir, 'access.log'), format: 'squid' },
        outbound: {
          ports: [443],
          allow: [
            { match: 'cidr', value: '127.0.0.1/32', port: 8128 },
            { match: 'cidr', value: '10.0.0.0/8', port: null },
            { match: 'suffix', value: 'lab.test', port: 9000 },
            { match: 'host', value: 'wiki.test', port: null },
            { match: 'cidr', value: 'fd00::/8', port: 443 },
            { match: 'cidr', value: '::1/128', port: null },
          ],
          hosts: { '*.lab.test': '10.0.0.1', 'wiki.test': '::1' },
          dnsServers: ['10.0.0.53', '10.0.0.53:5353', 'fd00::53', '[fd00::53]:5353'],
          connectTimeout: 500,
        },
        tunnels: {
          helloTimeout: 1000,
          idleTimeout: 120_000,
          drainIdle: 15_000,
          drainTimeout: 300_000,
          tlsRequiredPorts: [],
          httpPorts: [8080],
        },
        limits: { connections: 1, headTimeout: 2000, drainTimeout: 86_400_000 },
        redirect: { contextLifetime: 3_600_000 },
        trust: { refusals: 0, window: 60_000, fallback: 120_000 },
        blockEvents: { window: 3_600_000, path: join(dir, 'events.log'), webhook: 'https://hooks.test/x' },
      });
    });
  });

  test.each(['-', 'none'])('takes %s as an access log', (path) => {
    withConfig({ 'sallyport.yaml': `access_log: { path: '${path}' }` }, (file) => {
      expect(loadConfig(file).accessLog.path).toBe(path);
    });
  });
});
