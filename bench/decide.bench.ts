/** One decision, by the number of domains in the policy. It must not grow with them. */
import { bench, describe } from 'vitest';
import { compile } from '../src/decide/compile.ts';
import { decide } from '../src/decide/decide.ts';
import type { Hostname, PolicyDocument, Question } from '../src/flow.ts';

const now = Date.parse('2026-08-01T00:00:00Z');

function policyWith(domains: number): PolicyDocument {
  const rules = Array.from({ length: Math.ceil(domains / 1000) }, (_, rule) => ({
    id: `rule-${rule}`,
    what: {
      domains: Array.from(
        { length: Math.min(1000, domains) },
        (_, i) => `host${rule * 1000 + i}.example${i % 97}.test`,
      ),
    },
    effect: 'deny' as const,
    reason: 'A reason',
  }));
  const defaults = { unlisted: 'allow', catalogue: 'allow', rawAddress: 'allow' } as const;
  return {
    assistants: [],
    defaultAssistant: null,
    groups: {},
    rules,
    exceptions: [],
    defaults: { ...defaults, manner: 'intercept', redirect: 'page' },
  };
}

function asks(host: string): Question {
  return {
    moment: 'connect',
    client: { address: '192.0.2.1', user: null, groups: new Set() },
    target: { host: host as Hostname, kind: 'name', port: 443 },
    service: null,
    serverName: null,
    navigation: false,
    denied: null,
  };
}

describe.each([10, 1_000, 100_000, 1_000_000])('a policy of %i domains', (domains) => {
  const policy = compile(policyWith(domains));
  const denied = asks('www.a.host7.example7.test');
  const allowed = asks('www.elsewhere.example.org');

  bench('a host below one of them', () => {
    decide(policy, denied, now);
  });
  bench('a host that is in none', () => {
    decide(policy, allowed, now);
  });
});
