import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from '../../src/decide/compile.ts';
import { consider } from '../../src/decide/consider.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Hostname } from '../../src/flow.ts';
import { day, document, now, outerDenial, question } from './questions.ts';
import type { ExceptionGiven, PolicyGiven, QuestionGiven, RuleGiven } from './questions.ts';

/** `verdict id: why`, in the order in which they are shown. */
function shown(policy: PolicyGiven, asked: QuestionGiven): string[] {
  return consider(compile(document(policy)), question(asked), now).map(
    ({ verdict, id, why }) => `${verdict} ${id}: ${why}`,
  );
}

const defaultLost = 'lost default-catalogue: defaults apply only where no rule or exception does';
const vendor = { vendors: ['anthropic'] } as const;

test.each<[sentence: string, policy: PolicyGiven, question: QuestionGiven, expected: string[]]>([
  ['nothing applies', {}, {}, ['won default-catalogue: no rule or exception applies']],
  [
    'what is about something else is left out',
    { rules: [{ vendors: ['openai'] }, { domains: ['corp.test'] }, { channels: ['cloud'] }] },
    {},
    ['won default-catalogue: no rule or exception applies'],
  ],
  [
    'the time is not right',
    { rules: [{ ...vendor, from: now + day }, { ...vendor, until: now }, vendor] },
    {},
    [
      'won rule-2: the strongest that applies; it names the vendor anthropic',
      'lost rule-0: not yet in force: from 2026-07-11T00:00Z',
      'lost rule-1: no longer in force: until 2026-07-10T00:00Z',
      defaultLost,
    ],
  ],
  [
    'the client is somebody else',
    { rules: [{ ...vendor, groups: ['research', 'design'] }] },
    {},
    [
      'won default-catalogue: no rule or exception applies',
      'lost rule-0: for the group research or design, which the client is not in',
    ],
  ],
  [
    'an exception',
    { rules: [vendor], exceptions: [vendor] },
    {},
    [
      'won exception-0: exceptions take precedence over every rule; it names the vendor anthropic',
      'lost rule-0: the exception exception-0 takes precedence over every rule',
      defaultLost,
    ],
  ],
  [
    'a pause',
    { rules: [vendor], pauses: [{ vendor: 'anthropic', from: now, until: now + day }] },
    {},
    [
      'won pause-0: what is denied of anthropic is let through and counted until 2026-07-11T00:00Z; otherwise rule-0 denies it',
      'lost rule-0: the pause pause-0 lifts it',
      defaultLost,
    ],
  ],
  [
    'every level',
    {
      rules: [
        {},
        { channels: ['direct'] },
        { tags: ['assistant'] },
        vendor,
        { products: ['anthropic/claude'] },
        { domains: ['claude.ai'] },
        { domains: ['corp.test', '=claude.ai'] },
      ],
    },
    {},
    [
      'won rule-6: the strongest that applies; it names the host =claude.ai',
      'lost rule-5: less specific than rule-6, which names the host =claude.ai',
      'lost rule-4: less specific than rule-6: host takes precedence over product',
      'lost rule-3: less specific than rule-6: host takes precedence over vendor',
      'lost rule-1: less specific than rule-6: host takes precedence over class',
      'lost rule-2: less specific than rule-6: host takes precedence over class',
      'lost rule-0: less specific than rule-6: host takes precedence over everything',
      defaultLost,
    ],
  ],
  [
    'whom, effect and order',
    {
      rules: [
        { ...vendor },
        { ...vendor, groups: ['design'], effect: 'allow' },
        { ...vendor, groups: ['research'], effect: 'monitor' },
        { ...vendor, groups: ['design'], effect: 'monitor' },
      ],
    },
    { groups: ['design', 'research'] },
    [
      'won rule-2: the strongest that applies; it names the vendor anthropic',
      'lost rule-3: of the same rank as rule-2, which comes before it in the file',
      'lost rule-1: of the same rank as rule-2, where monitor takes precedence over allow',
      'lost rule-0: for everyone; rule-2 is for the group research',
      defaultLost,
    ],
  ],
  [
    'a denial of the tunnel',
    { rules: [{ ...vendor, effect: 'allow' }] },
    { moment: 'request', denied: outerDenial },
    [
      'won outer: the tunnel was denied, and nothing inside it can lift that',
      'lost rule-0: the denial of the tunnel by outer stands',
      defaultLost,
    ],
  ],
  [
    'two names, one of them denied',
    { rules: [vendor] },
    { host: 'corp.test', serverName: 'claude.ai' },
    [
      'won rule-0: the strongest that applies; it names the vendor anthropic',
      defaultLost,
      'lost default-unlisted: the decision for claude.ai holds for the whole tunnel',
    ],
  ],
  [
    'two names that nothing denies',
    {},
    { host: 'corp.test', serverName: 'claude.ai' },
    [
      'won server-name-mismatch: the tunnel was requested for corp.test but speaks to claude.ai',
      'lost default-unlisted: the two names of the tunnel differ',
      'lost default-catalogue: the two names of the tunnel differ',
    ],
  ],
  [
    'a hello that hides another, where the policy does not mind',
    {},
    { host: 'corp.test', serverName: 'cloudflare-ech.com', ech: true },
    [
      'won default-unlisted: no rule or exception applies',
      'lost default-unlisted: the ClientHello hides another one, and cloudflare-ech.com only stands in for corp.test',
    ],
  ],
  [
    'a hello that hides another, where the policy minds',
    { defaults: { ech: 'deny' } },
    { host: 'cloudflare-ech.com', moment: 'hello', ech: true },
    [
      'won encrypted-client-hello: the ClientHello may hide another one for a different host',
      'lost default-unlisted: the true destination is encrypted',
    ],
  ],
])('%s', (_, policy, asked, expected) => {
  expect(shown(policy, asked)).toEqual(expected);
});

const hosts = [
  'claude.ai',
  'a.claude.ai',
  'b.a.claude.ai',
  'chatgpt.com',
  'relay.test',
  'corp.test',
  'x.corp.test',
  'cloudflare-ech.com',
];
const patterns = [...hosts.flatMap((host) => [host, `=${host}`]), 'test', '10.1.1.1', '=::1'];

const some = <T>(...values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.subarray([...values], { minLength: 1, maxLength: Math.min(3, values.length) });
const what = {
  vendors: some('anthropic', 'openai', 'relay'),
  products: some('anthropic/claude', 'openai/chatgpt', 'relay/gateway'),
  channels: some<'direct' | 'reseller' | 'cloud'>('direct', 'reseller', 'cloud'),
  tags: some('maker', 'assistant', 'relay'),
  domains: some(...patterns),
};
/** At most two fields: more hold at once too seldom to try anything. */
const subject = fc
  .subarray(Object.keys(what) as (keyof typeof what)[], { maxLength: 2 })
  .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, what[key]])) as Partial<typeof what>));
const groups = fc.option(some('research', 'design'), { nil: undefined });
const from = fc.option(fc.constantFrom(now - day, now, now + 1), { nil: undefined, freq: 2 });
const until = fc.constantFrom(now, now + 1, now + day);
const effect = fc.constantFrom('allow' as const, 'deny' as const, 'monitor' as const);
const manner = fc.constantFrom('intercept' as const, 'refuse' as const, 'reset' as const);

const rule: fc.Arbitrary<RuleGiven> = fc
  .tuple(subject, fc.record({ groups, from, until: fc.option(until, { nil: undefined }), effect, manner }))
  .map(([names, rest]) => ({ ...names, ...rest }));
const exception: fc.Arbitrary<ExceptionGiven> = fc
  .tuple(subject, fc.record({ groups, from, until }))
  .map(([names, rest]) => ({ ...names, ...rest }));
const pause = fc.record({
  vendor: fc.constantFrom('anthropic', 'relay', null),
  from: fc.constantFrom(now - day, now, now + 1),
  until: fc.constantFrom(now + 1, now + day),
});
const policy: fc.Arbitrary<PolicyGiven> = fc.record({
  rules: fc.array(rule, { maxLength: 8 }).map((rules) => rules.map((one, i) => ({ ...one, id: `rule-${i}` }))),
  exceptions: fc.array(exception, { maxLength: 3 }),
  pauses: fc.array(pause, { maxLength: 3 }),
  defaults: fc.record({
    unlisted: effect,
    catalogue: effect,
    rawAddress: effect,
    manner,
    ech: fc.constantFrom('allow', 'allow', undefined, 'deny'),
    echPublicNames: fc.constant(['corp.test' as Hostname]),
  }),
});
const asked: fc.Arbitrary<QuestionGiven> = fc
  .record({
    moment: fc.constantFrom('connect' as const, 'hello' as const, 'request' as const),
    host: fc.constantFrom(...hosts, '10.1.1.1', '::1'),
    groups: fc.subarray(['research', 'design']),
    serverName: fc.constantFrom(...hosts),
    navigation: fc.boolean(),
    ech: fc.boolean(),
    denied: fc.oneof(
      { weight: 9, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constant(outerDenial) },
    ),
  })
  .map(({ serverName, denied, ech, ...rest }) => ({
    ...rest,
    ech: ech && rest.moment === 'hello',
    ...(rest.moment === 'hello' && serverName !== rest.host ? { serverName } : {}),
    ...(denied === undefined ? {} : { denied }),
  }));

/** Others that have a part in the service: who runs the host, and whose model answers (null: not known). */
const parts = fc.record({
  operator: fc.constantFrom(undefined, undefined, 'openai', 'relay'),
  model: fc.constantFrom(undefined, undefined, 'anthropic', 'openai', null),
});

test('the winner is what decides, for any policy and question, and nothing stands there twice', () => {
  const won = new Map<string, number>();
  let behind = 0;
  fc.assert(
    fc.property(policy, asked, parts, (given, ask, part) => {
      const compiled = compile(document(given));
      const plain = question(ask);
      const whole = { ...plain, service: plain.service && { ...plain.service, ...part } };
      const { decision } = decide(compiled, whole, now);
      const rows = consider(compiled, whole, now);
      const told = rows.map(({ kind, id, host }) => `${kind} ${id} ${host}`);
      expect(told).toEqual([...new Set(told)]);
      const winners = rows.filter(({ verdict }) => verdict === 'won');
      const by = decision.effect === 'deny' ? undefined : decision.exception;
      expect(winners).toEqual([expect.objectContaining({ id: by ?? decision.rule, effect: decision.effect })]);
      const kind = winners[0]?.kind ?? 'none';
      won.set(kind, (won.get(kind) ?? 0) + 1);
      if (decision.ech === true && ask.serverName !== undefined && decision.effect !== 'deny') behind += 1;
    }),
    { numRuns: 7_000 },
  );
  // Cases that never come up prove nothing.
  for (const kind of ['rule', 'exception', 'pause', 'default', 'built-in'])
    expect(won.get(kind) ?? 0).toBeGreaterThan(200);
  expect(behind).toBeGreaterThan(20);
});

test('only equals depend on the order of the rules', () => {
  const shuffled = policy.chain((given) => {
    const rules = given.rules ?? [];
    return fc.tuple(fc.constant(given), fc.shuffledSubarray([...rules], { minLength: rules.length }));
  });
  fc.assert(
    fc.property(shuffled, asked, ([given, rules], ask) => {
      const before = compile(document(given));
      const after = compile(document({ ...given, rules }));
      const first = decide(before, question(ask), now);
      const second = decide(after, question(ask), now);
      expect(second.decision.effect).toBe(first.decision.effect);
      const byOrder = consider(before, question(ask), now).some(({ why }) => why.endsWith('before it in the file'));
      if (!byOrder) expect(second).toEqual(first);
    }),
    { numRuns: 2_000 },
  );
});
