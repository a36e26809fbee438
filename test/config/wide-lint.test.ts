import { describe, expect, test } from 'vitest';
import { lint } from '../../src/config/lint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { withConfig } from './folder.ts';
import type { Files } from './folder.ts';

const now = Date.parse('2026-08-01T00:00:00Z');

/** Twenty products: of fewer, a rule may well be about all. */
const products = Array.from(
  { length: 20 },
  (_, i) =>
    `  - { id: p${i}, name: P, kind: api, hosts: [{ exact: p${i}.test, role: api, source: x, confidence: list }] }\n`,
);
const big = `id: big\nname: Big\nproducts:\n${products.join('')}`;

function warnings(files: Files): string[] {
  return withConfig({ 'policy.yaml': '{}', 'vendors/big.yaml': big, ...files }, (file) =>
    lint(loadConfig(file), now).map(({ message }) => message),
  );
}

const policy = (text: string): Files => ({ 'policy.yaml': text });
const exception = (about: string, until = '2027-01-01'): Files =>
  policy(
    `groups: { a: { networks: 10.0.0.0/8 } }\nexceptions: [{ id: e, ${about}, until: ${until}, approved_by: me, reason: x }]\n`,
  );

describe('warns of', () => {
  test('a denial of every channel', () => {
    expect(warnings(policy('rules: [{ id: r, channels: [direct, cloud], effect: deny, reason: x }]'))).toEqual([
      'the rule "r" denies nearly every AI service to everyone; write "mode: sanctioned-only" for that, which still lets approved services pass',
    ]);
  });

  test('an exception for every channel', () => {
    expect(warnings(exception('channels: [direct, cloud, reseller]'))).toEqual([
      'the exception "e" allows nearly every AI service to everyone; name the services that it is for, or the groups',
    ]);
  });

  test('a stored exception for every channel, at its line', () => {
    const line = {
      id: 'e',
      channels: ['direct'],
      until: '2027-01-01T00:00:00Z',
      approved_by: 'me',
      reason: 'x',
      created_at: '2026-07-01T00:00:00Z',
      created_by: 'me',
    };
    const found = withConfig(
      {
        'policy.yaml': '{}',
        'vendors/big.yaml': big,
        'exceptions.jsonl': `\n${JSON.stringify(line)}\n`,
      },
      (file) => lint(loadConfig(file), now),
    );
    expect(found).toMatchObject([
      {
        file: expect.stringMatching(/exceptions\.jsonl$/) as string,
        position: { line: 2, column: 1 },
        message:
          'the exception "e" allows nearly every AI service to everyone; name the services that it is for, or the groups',
      },
    ]);
  });

  test('a denial of all that is not listed', () => {
    expect(warnings(policy('defaults: { unlisted: deny }'))).toEqual([
      'defaults.unlisted denies every host that no rule names, and no rule allows any domain; allow some, or write "allow"',
    ]);
  });
});

describe('is silent about', () => {
  test.each<readonly [string, Files]>([
    ['an exception for a group', exception('channels: [direct, cloud, reseller], groups: a')],
    ['an exception for one vendor', exception('vendors: acme')],
    [
      'a denial for a group',
      policy(
        'groups: { a: { networks: 10.0.0.0/8 } }\nrules: [{ id: r, channels: direct, groups: a, effect: deny, reason: x }]',
      ),
    ],
    [
      'a denial of what is not listed where a rule counts some of it',
      policy('defaults: { unlisted: deny }\nrules: [{ id: r, domains: corp.test, effect: monitor, reason: x }]'),
    ],
    [
      'a denial of what is not listed where an exception allows some of it',
      policy(
        'defaults: { unlisted: deny }\nexceptions: [{ id: e, domains: corp.test, until: 2027-01-01, approved_by: me, reason: x }]',
      ),
    ],
  ])('%s', (_, files) => {
    expect(warnings(files)).toEqual([]);
  });

  test('how much an exception that has ended covered', () => {
    expect(warnings(exception('channels: direct', '2026-07-01'))).toEqual([
      'the exception "e" expired at 2026-07-01T00:00Z; renew or remove it',
    ]);
  });
});
