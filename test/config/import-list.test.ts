import { expect, test } from 'vitest';
import { importList } from '../../src/config/import-list.ts';

function hosts(text: string, service: string | null = null): string[] {
  return importList(text, service).hosts.map(({ match, host }) => `${match} ${host}`);
}

test.each([
  ['domain:acme.test', ['suffix acme.test']],
  ['full:api.acme.test @ads', ['exact api.acme.test']],
  ['=only.acme.test', ['exact only.acme.test']],
  ['acme.test # the app', ['suffix acme.test']],
  ['Acme.Test.', ['suffix acme.test']],
  ['*.acme.test', ['suffix acme.test']],
  ['+.acme.test', ['suffix acme.test']],
  ['.acme.test', ['suffix acme.test']],
  ['||acme.test^', ['suffix acme.test']],
  ['||acme.test^$important', ['suffix acme.test']],
  ['0.0.0.0 acme.test', ['exact acme.test']],
  ['DOMAIN-SUFFIX,acme.test,PROXY', ['suffix acme.test']],
  ['  - DOMAIN,acme.test', ['exact acme.test']],
  ['acme.test\nacme.test', ['suffix acme.test']],
  ['# note\n! note\n\npayload:\n', []],
])('%j gives %j', (text, expected) => {
  const read = importList(text, null);
  expect(read.hosts.map(({ match, host }) => `${match} ${host}`)).toEqual(expected);
  expect(read.left).toEqual([]);
});

test.each([
  ['keyword:claude', /keyword/],
  ['DOMAIN-KEYWORD,claude', /keyword/],
  ['regexp:^a.*b$', /expression/],
  ['/^ads/', /expression/],
  ['include:other', /another list/],
  ['IP-CIDR,10.0.0.0/8', /addresses/],
  ['@@||acme.test^', /exception/],
  ['10.0.0.1', /address/],
  ['a b c', /not a known way/],
  ['exa%6dple.test', /character/],
])('%j is left out and says why', (text, why) => {
  const { hosts: found, left } = importList(text, null);
  expect(found).toEqual([]);
  expect(left).toHaveLength(1);
  expect(left[0]?.line).toBe(1);
  expect(left[0]?.why).toMatch(why);
});

const services = JSON.stringify({
  blocked_services: [
    { id: 'acme', rules: ['||acme.test^', '||acme.example^'] },
    { id: 'beta', rules: ['||beta.test^'] },
  ],
});

test('takes AdGuard services, all or one', () => {
  expect(hosts(services)).toEqual(['suffix acme.test', 'suffix acme.example', 'suffix beta.test']);
  expect(hosts(services, 'beta')).toEqual(['suffix beta.test']);
});
