import { expect, test } from 'vitest';
import { indexHosts } from '../../src/decide/match.ts';
import type { Hostname, HostPattern, Product, Vendor } from '../../src/flow.ts';
import { indexServices } from '../../src/identify/services.ts';

function pattern(match: HostPattern['match'], host: string, role: string, wire?: HostPattern['wire']): HostPattern {
  return { match, host: host as Hostname, role, wire };
}

function product(id: string, rest: Partial<Product> & Pick<Product, 'hosts'>): Product {
  return { id, name: `The ${id}`, kind: 'api', channel: 'direct', wire: 'none', tags: [], ...rest };
}

const vendors: readonly Vendor[] = [
  {
    id: 'acme',
    name: 'Acme',
    tags: ['maker', 'shared'],
    products: [
      product('chat', { kind: 'chat', tags: ['assistant', 'shared'], hosts: [pattern('suffix', 'acme.test', 'app')] }),
      product('api', {
        wire: 'openai',
        hosts: [
          pattern('suffix', 'api.acme.test', 'api'),
          pattern('exact', 'claude.api.acme.test', 'api', 'anthropic'),
        ],
      }),
    ],
  },
  {
    id: 'relay',
    name: 'Relay',
    tags: [],
    products: [product('all', { channel: 'reseller', hosts: [pattern('exact', 'relay.test', 'api')] })],
  },
];
const find = indexServices(vendors, indexHosts);
const at = (host: string) => find(host as Hostname);

test.each([
  ['acme.test', 'acme/chat'],
  ['www.acme.test', 'acme/chat'],
  ['api.acme.test', 'acme/api'],
  ['eu.api.acme.test', 'acme/api'],
  ['relay.test', 'relay/all'],
  ['www.relay.test', null],
  ['notacme.test', null],
  ['acme.test.evil.test', null],
  ['10.0.0.1', null],
])('%s belongs to %s', (host, expected) => {
  const service = at(host);
  expect(service === null ? null : `${service.vendor}/${service.product}`).toBe(expected);
});

test('says all that the catalogue knows of the host', () => {
  expect(at('www.acme.test')).toEqual({
    vendor: 'acme',
    vendorName: 'Acme',
    product: 'chat',
    productName: 'The chat',
    kind: 'chat',
    channel: 'direct',
    wire: 'none',
    role: 'app',
    tags: ['maker', 'shared', 'assistant', 'chat'],
  });
});

test('a host may speak another dialect than its product', () => {
  expect(at('x.api.acme.test')?.wire).toBe('openai');
  expect(at('claude.api.acme.test')?.wire).toBe('anthropic');
});

test('the same host gets the same object: nothing is made for a connection', () => {
  expect(at('a.acme.test')).toBe(at('b.acme.test'));
});

test('what a host is found to be does not depend on what was asked before', () => {
  const mixed: readonly Vendor[] = [
    ...vendors,
    {
      id: 'cloud',
      name: 'Cloud',
      tags: [],
      products: [
        product('ai', {
          hosts: [],
          shared: [{ match: 'exact', host: 'cloud.test' as Hostname, paths: ['/ai'] }],
          addresses: ['192.0.2.0/24'],
        }),
        product('reader', { hosts: [pattern('exact', 'r.jina.ai', 'app')] }),
      ],
    },
  ];
  const questions = [
    ['cloud.test', null],
    ['cloud.test', '/ai/chat'],
    ['cloud.test', '/mail'],
    ['192.0.2.7', null],
    ['192.0.2.7', '/ai'],
    ['r.jina.ai', null],
    ['r.jina.ai', '/https://www.acme.test/'],
    ['r.jina.ai', '/https://unknown.test/'],
    ['api-acme-test.translate.goog', null],
    ['unknown.test', '/ai'],
  ] as const;
  const fresh = questions.map(([host, path]) => indexServices(mixed, indexHosts)(host as Hostname, path));
  expect(fresh.map((service) => service?.product ?? null)).toEqual([
    null,
    'ai',
    null,
    'ai',
    'ai',
    'reader',
    'chat',
    'reader',
    'api',
    null,
  ]);
  const again = indexServices(mixed, indexHosts);
  for (let round = 0; round < 3; round += 1) {
    expect(questions.map(([host, path]) => again(host as Hostname, path))).toEqual(fresh);
    // More than are remembered.
    for (let i = 0; i < 5_000; i += 1) expect(again(`h${i}.unknown.test` as Hostname)).toBe(null);
  }
});
