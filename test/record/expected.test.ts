import { expect, test } from 'vitest';
import type { Vendor } from '../../src/flow.ts';
import { expectedSeries } from '../../src/record/expected.ts';

const product = { name: 'P', kind: 'chat', channel: 'direct', wire: 'none', tags: [], hosts: [] } as const;
const vendors: readonly Vendor[] = [
  {
    id: 'acme',
    name: 'Acme',
    tags: [],
    products: [
      { ...product, id: 'chat' },
      { ...product, id: 'api', channel: 'cloud' },
    ],
  },
  { id: 'other', name: 'Other', tags: [], products: [{ ...product, id: 'ide' }] },
];

test('every product of the catalogue has its series before anything happens', () => {
  const { blocked, wouldDeny } = expectedSeries(vendors);
  expect(wouldDeny).toEqual([
    { vendor: 'acme', product: 'chat', channel: 'direct', rule: '' },
    { vendor: 'acme', product: 'api', channel: 'cloud', rule: '' },
    { vendor: 'other', product: 'ide', channel: 'direct', rule: '' },
  ]);
  expect(blocked).toEqual(wouldDeny.map((labels) => ({ ...labels, answer: '' })));
});
