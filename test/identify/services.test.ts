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
