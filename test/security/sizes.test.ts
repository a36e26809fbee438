/** Sizes: patterns and policies. */
import { expect } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { Hostname, TunnelArrival } from '../../src/flow.ts';
import { snapshotOf } from '../../src/gateway/snapshot.ts';
import { writeConfig } from '../support/lab.ts';
import { attack, openField } from './field.ts';

const field = openField();

attack(
  field,
  108,
  'A rule with a regular expression of exponential time, and hosts of 253 octets against every template of the catalogue',
  'the rule is refused when it is read; there is no pattern whose time grows with more than the length of a host',
  (here) => {
    const rule = "rules: [{ id: a, domains: '^(a+)+.test$', effect: deny, reason: R. }]";
    expect(() => loadConfig(writeConfig({ policy: rule }))).toThrow(/policy\.yaml:1/);
    const { identify } = snapshotOf(loadConfig(here.lab.file), () => false);
    const long = [
      `${'a-'.repeat(31)}a.${'a-'.repeat(31)}a.${'b-'.repeat(31)}b`,
      `${'1.'.repeat(100)}1`,
      `${'x.'.repeat(100)}amazonaws.com`,
    ];
    const started = performance.now();
    for (let i = 0; i < 1_000; i += 1) {
      for (const host of long) {
        const target = { host: host as Hostname, kind: 'name', port: 443 } as const;
        identify.connect({ target, clientAddress: '127.0.0.1' } as TunnelArrival);
      }
    }
    // 3,000 lookups: a second each would be what a bad pattern costs.
    expect(performance.now() - started).toBeLessThan(3_000);
    return Promise.resolve();
  },
);

attack(
  field,
  109,
  'Policies of 10,000 rules and of 10 MB; alias bombs and 10,000 levels of nesting are in case 120',
  'the first is loaded and decided like a small one, the second refused with the limit',
  () => {
    const rules = Array.from(
      { length: 10_000 },
      (_, i) => `  - { id: r${i}, domains: h${i}.example, effect: deny, reason: R. }`,
    );
    const config = loadConfig(writeConfig({ policy: `rules:\n${rules.join('\n')}\n` }));
    expect(config.policy.rules).toHaveLength(10_000);
    const huge = `rules:\n${rules.join('\n').repeat(15)}\n`;
    expect(() => loadConfig(writeConfig({ policy: huge }))).toThrow(/bytes; configuration files may have/);
    return Promise.resolve();
  },
);
