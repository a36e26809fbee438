/** External lists in decisions: the same as if their domains stood in the rules. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from '../../src/decide/compile.ts';
import { consider } from '../../src/decide/consider.ts';
import { decide } from '../../src/decide/decide.ts';
import { buildDomainSet } from '../../src/decide/domain-set.ts';
import type { DomainSet } from '../../src/decide/domain-set.ts';
import type { Hostname, PolicyDocument, Question, Rule } from '../../src/flow.ts';

function setOf(domains: readonly string[]): DomainSet {
  const builder = buildDomainSet(1);
  for (const domain of domains) {
    const exact = domain.startsWith('=');
    const bytes = Buffer.from(exact ? domain.slice(1) : domain);
    builder.add(bytes, 0, bytes.length, exact ? 'exact' : 'suffix');
  }
  const steps = builder.build();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function document(rules: readonly Rule[]): PolicyDocument {
  return {
    assistants: [],
    defaultAssistant: null,
    groups: {},
    rules,
    exceptions: [],
    defaults: { unlisted: 'allow', catalogue: 'monitor', manner: 'intercept', redirect: 'page', rawAddress: 'deny' },
  };
}

function question(host: string, group: boolean): Question {
  return {
    moment: 'connect',
    client: { address: '10.0.0.1', user: null, groups: new Set(group ? ['staff'] : []) },
    target: { host: host as Hostname, kind: 'name', port: 443 },
    service: null,
    serverName: null,
    navigation: false,
    denied: null,
  };
}

const label = fc.constantFrom('a', 'b', 'c');
const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'));
const domain = fc.tuple(fc.boolean(), name).map(([exact, host]) => (exact ? `=${host}` : host));
const domains = fc.uniqueArray(domain, { minLength: 1, maxLength: 4 });
const rule = fc.record({
  domains,
  listed: domains,
  which: fc.constantFrom('domains', 'list', 'both'),
  effect: fc.constantFrom('allow' as const, 'deny' as const, 'monitor' as const),
  groups: fc.option(fc.constant(['staff']), { nil: undefined }),
});

test('a list in a rule decides as its domains would, and consider agrees', () => {
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 6 }),
      fc.array(name, { minLength: 1 }),
      fc.boolean(),
      (given, hosts, group) => {
        const sets = new Map(given.map(({ listed }, i) => [`list-${i}`, setOf(listed)]));
        const common = given.map(({ effect, groups }, i) => ({ id: `rule-${i}`, effect, groups, reason: 'Because.' }));
        const named = given.map(({ domains: own, which }, i) => ({
          ...(which !== 'list' && { domains: own }),
          ...(which !== 'domains' && { lists: [`list-${i}`] }),
        }));
        const spelt = given.map(({ domains: own, listed, which }) => ({
          domains: [...(which === 'list' ? [] : own), ...(which === 'domains' ? [] : listed)],
        }));
        const withLists = compile(document(common.map((one, i) => ({ ...one, what: named[i] ?? {} }))), sets);
        const withDomains = compile(document(common.map((one, i) => ({ ...one, what: spelt[i] ?? {} }))));
        for (const host of hosts) {
          const asked = question(host, group);
          const { decision } = decide(withLists, asked, 0);
          expect(decision).toEqual(decide(withDomains, asked, 0).decision);
          expect(consider(withLists, asked, 0)[0]).toMatchObject({ id: decision.rule, verdict: 'won' });
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a list that is not there yet covers nothing', () => {
  const policy = compile(document([{ id: 'r', what: { lists: ['later'] }, effect: 'deny', reason: 'Listed.' }]));
  expect(decide(policy, question('a.b', false), 0).decision.effect).toBe('allow');
});
