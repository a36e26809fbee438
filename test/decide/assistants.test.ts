/** Which assistant a denial names, and what else it bears. */
import { describe, expect, test } from 'vitest';
import { decided } from './rows.ts';

const vendors = ['anthropic'];
const groups = ['research'];

describe('the assistant that a denial names', () => {
  const assistantOf = (...given: Parameters<typeof decided>): string | null => {
    const { decision } = decided(...given);
    return decision.effect === 'deny' ? (decision.denial.assistant?.id ?? null) : null;
  };
  const choice = { what: { vendors }, assistant: 'inhouse' };
  test.each<
    readonly [
      what: string,
      policy: Parameters<typeof decided>[0],
      asked: Parameters<typeof decided>[1],
      expected: string | null,
    ]
  >([
    ['is that of the policy', { rules: [{ vendors }] }, {}, 'qoder'],
    [
      'is the first choice that fits',
      {
        rules: [{ vendors }],
        assistantFor: [{ ...choice, what: { vendors: ['openai'] } }, choice, { ...choice, assistant: 'qoder' }],
      },
      {},
      'inhouse',
    ],
    [
      'by product',
      { rules: [{ vendors }], assistantFor: [{ what: { products: ['anthropic/claude'] }, assistant: 'inhouse' }] },
      {},
      'inhouse',
    ],
    [
      'by domain',
      { rules: [{ vendors }], assistantFor: [{ what: { domains: ['ai'] }, assistant: 'inhouse' }] },
      {},
      'inhouse',
    ],
    [
      'not by another domain',
      { rules: [{ vendors }], assistantFor: [{ what: { domains: ['com'] }, assistant: 'inhouse' }] },
      {},
      'qoder',
    ],
    [
      'by group',
      { rules: [{ vendors }], assistantFor: [{ what: {}, groups, assistant: 'inhouse' }] },
      { groups },
      'inhouse',
    ],
    [
      'not for others',
      { rules: [{ vendors }], assistantFor: [{ what: {}, groups, assistant: 'inhouse' }] },
      {},
      'qoder',
    ],
    [
      'is that of the site',
      { rules: [{ vendors }], sites: { berlin: { networks: [], assistant: 'inhouse' } } },
      { groups: ['berlin'] },
      'inhouse',
    ],
    [
      'where no choice fits',
      {
        rules: [{ vendors }],
        assistantFor: [{ what: {}, assistant: 'qoder' }],
        sites: { berlin: { networks: [], assistant: 'inhouse' } },
      },
      { groups: ['berlin'] },
      'qoder',
    ],
    [
      'is that of the rule before all',
      { rules: [{ vendors, assistant: 'qoder' }], assistantFor: [choice] },
      {},
      'qoder',
    ],
    ['is chosen for defaults too', { sanctionedOnly: true, assistantFor: [choice] }, {}, 'inhouse'],
    [
      'is none where there is none',
      { rules: [{ vendors }], defaultAssistant: null, assistantFor: [{ ...choice, what: { vendors: ['openai'] } }] },
      {},
      null,
    ],
  ])('%s', (_, policy, asked, expected) => {
    expect(assistantOf(policy, asked)).toBe(expected);
  });
});

test('a denial bears who answers for it, where it is set out, and what becomes of open tunnels', () => {
  const { decision } = decided(
    { rules: [{ vendors, owner: 'Security', details: 'https://x.test/', onChange: 'cut' }] },
    {},
  );
  expect(decision).toMatchObject({ denial: { owner: 'Security', details: 'https://x.test/', onChange: 'cut' } });
});
