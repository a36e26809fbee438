import { expect, test } from 'vitest';
import type { RequestFacts, Vendor } from '../../src/flow.ts';
import { indexAccountCalls } from '../../src/identify/account-calls.ts';
import { host } from '../record/attempts.ts';

const product = { id: 'p', name: 'P', kind: 'api', channel: 'direct', wire: 'none', tags: [], hosts: [] } as const;
const accountCalls = [
  { host: host('chat.test'), methods: ['GET', 'HEAD'], paths: ['/check', '/hello'] },
  { host: host('auth.test'), methods: ['POST'], paths: ['/token'] },
];
const vendors: readonly Vendor[] = [
  { id: 'a', name: 'A', tags: [], products: [product] },
  { id: 'b', name: 'B', tags: [], products: [{ ...product, accountCalls }] },
];
const isAccountCall = indexAccountCalls(vendors);

test.each([
  ['GET https://chat.test/check', true],
  ['HEAD https://chat.test/hello', true],
  ['GET https://chat.test/check?model=x', true],
  ['POST https://auth.test/token', true],
  ['POST https://chat.test/check', false],
  ['get https://chat.test/check', false],
  ['GET https://auth.test/token', false],
  ['GET https://www.chat.test/check', false],
  ['GET https://chat.test/check/', false],
  ['GET https://chat.test/check/../v1/messages', false],
  ['GET https://chat.test/check%2f..%2fv1', false],
  ['GET https://chat.test/CHECK', false],
  ['GET https://chat.test//check', false],
  ['GET https://chat.test/', false],
  ['GET http://chat.test/check', false],
])('%s: %s', (text, expected) => {
  const [, method = '', scheme, name = '', path = ''] = /^(\w+) (https?):\/\/([^/]+)(.*)$/.exec(text) ?? [];
  const facts = { method, scheme, path } as unknown as RequestFacts;
  expect(isAccountCall(host(name), facts)).toBe(expected);
});
