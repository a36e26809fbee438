import { test } from 'vitest';
import { expectRow } from './rows.ts';
import type { Row } from './rows.ts';

const precedence: readonly Row[] = [
  [
    'an exception goes before a denial of the very host',
    { rules: [{ domains: ['=claude.ai'] }], exceptions: [{ vendors: ['anthropic'] }] },
    {},
    ['allow', 'exception-0', 'tunnel'],
  ],
  [
    'an exception for another group does nothing',
    { rules: [{ vendors: ['anthropic'] }], exceptions: [{ vendors: ['anthropic'], groups: ['research'] }] },
    { groups: ['design'] },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'the most specific exception is named',
    { exceptions: [{ vendors: ['anthropic'] }, { products: ['anthropic/claude'] }] },
    {},
    ['allow', 'exception-1', 'tunnel'],
  ],
  [
    'host over product',
    { rules: [{ products: ['anthropic/claude'] }, { domains: ['claude.ai'], effect: 'allow' }] },
    {},
    ['allow', 'rule-1', 'tunnel'],
  ],
  [
    'exact host over suffix',
    { rules: [{ domains: ['claude.ai'] }, { domains: ['=claude.ai'], effect: 'allow' }] },
    {},
    ['allow', 'rule-1', 'tunnel'],
  ],
  [
    'longer suffix over shorter',
    { rules: [{ domains: ['claude.ai'] }, { domains: ['a.claude.ai'], effect: 'allow' }] },
    { host: 'b.a.claude.ai' },
    ['allow', 'rule-1', 'tunnel'],
  ],
  [
    'a suffix where the longer one is not for this client',
    { rules: [{ domains: ['claude.ai'] }, { domains: ['a.claude.ai'], effect: 'allow', groups: ['design'] }] },
    { host: 'b.a.claude.ai' },
    ['deny', 'rule-0', 'intercept'],
  ],
  [
    'product over vendor',
    { rules: [{ vendors: ['anthropic'] }, { products: ['anthropic/claude'], effect: 'allow' }] },
    {},
    ['allow', 'rule-1', 'tunnel'],
  ],
  [
    'vendor over tag',
    { rules: [{ tags: ['assistant'] }, { vendors: ['anthropic'], effect: 'allow' }] },
    {},
    ['allow', 'rule-1', 'tunnel'],
  ],
  [
    'vendor over channel',
    { rules: [{ channels: ['direct'] }, { vendors: ['anthropic'], effect: 'allow' }] },
    {},
    ['allow', 'rule-1', 'tunnel'],
  ],
  [
    'class over everything',
    { rules: [{ effect: 'deny' }, { tags: ['assistant'], effect: 'allow' }] },
    {},
    ['allow', 'rule-1', 'tunnel'],
  ],
  [
    'a rule is known by its most specific field',
    {
      rules: [
        { vendors: ['anthropic'], channels: ['direct'] },
        { tags: ['maker'], products: ['anthropic/claude'], effect: 'allow' },
      ],
    },
    {},
    ['allow', 'rule-1', 'tunnel'],
  ],
  [
    'a tag and a channel are one level: deny goes first',
    { rules: [{ tags: ['assistant'], effect: 'allow' }, { channels: ['direct'] }] },
    {},
    ['deny', 'rule-1', 'intercept'],
  ],
  [
    'a tag and another tag are one level: a group goes first',
    { rules: [{ tags: ['maker'] }, { tags: ['assistant'], effect: 'allow', groups: ['research'] }] },
    { groups: ['research'] },
    ['allow', 'rule-1', 'tunnel'],
  ],
  [
    'a group over everyone, also to allow',
    { rules: [{ vendors: ['anthropic'] }, { vendors: ['anthropic'], effect: 'allow', groups: ['research'] }] },
    { groups: ['research'] },
    ['allow', 'rule-1', 'tunnel'],
  ],
  [
    'a more specific rule for everyone over a group',
    { rules: [{ vendors: ['anthropic'], effect: 'allow', groups: ['research'] }, { domains: ['claude.ai'] }] },
    { groups: ['research'] },
    ['deny', 'rule-1', 'intercept'],
  ],
  [
    'deny over monitor',
    { rules: [{ vendors: ['anthropic'], effect: 'monitor' }, { vendors: ['anthropic'] }] },
    {},
    ['deny', 'rule-1', 'intercept'],
  ],
  [
    'monitor over allow',
    {
      rules: [
        { vendors: ['anthropic'], effect: 'allow' },
        { vendors: ['anthropic'], effect: 'monitor' },
      ],
    },
    {},
    ['monitor', 'rule-1', 'tunnel'],
  ],
  [
    'deny over allow between two groups of the client',
    {
      rules: [
        { vendors: ['anthropic'], effect: 'allow', groups: ['research'] },
        { vendors: ['anthropic'], groups: ['design'] },
      ],
    },
    { groups: ['research', 'design'] },
    ['deny', 'rule-1', 'intercept'],
  ],
  [
    'then the order of the file',
    { rules: [{ vendors: ['anthropic'] }, { vendors: ['anthropic'] }] },
    {},
    ['deny', 'rule-0', 'intercept'],
  ],
];

test.each(precedence)('%s', (...row) => expectRow(row));
