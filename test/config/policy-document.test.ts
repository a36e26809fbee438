import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import type { PolicyDocument } from '../../src/flow.ts';
import { goodPolicy, withConfig } from './folder.ts';

describe('policy.yaml', () => {
  const policyOf = (text: string): PolicyDocument =>
    withConfig({ 'policy.yaml': text }, (file) => loadConfig(file).policy);

  test('may be empty but for {}', () => {
    expect(policyOf('{}')).toEqual({
      timeZone: 'UTC',
      pauses: [],
      lists: [],
      assistants: [],
      defaultAssistant: null,
      assistantFor: [],
      groups: {},
      sites: {},
      riskClasses: {},
      sanctionedOnly: false,
      rules: [],
      rulesLeftOut: true,
      exceptions: [],
      defaults: {
        unlisted: 'allow',
        catalogue: 'monitor',
        manner: 'intercept',
        redirect: 'page',
        rawAddress: 'deny',
        echPublicNames: [],
        onChange: 'keep',
      },
    });
  });

  test('gives groups, sites, risk classes and whom to send where', () => {
    const policy = policyOf(`
mode: sanctioned-only
assistants: { a: { name: A, url: 'https://a.test/' }, b: { name: B, url: 'https://b.test/' } }
assistant_for:
  - { vendors: acme, groups: staff, assistant: b }
groups: { staff: { users: [ada, bob@corp.test], forwarded: Staff } }
sites: { berlin: { networks: 10.40.0.0/16, time_zone: Europe/Berlin, holidays: [2026-10-03], assistant: a } }
risk_classes: { high: { vendors: acme, tags: maker } }
holidays: [2026-12-25]
rules:
  - { id: r, risks: high, sites: berlin, from: 2026-07-10, holidays: except, effect: deny, reason: R., owner: Security, details: 'https://x.test/' }
`);
    expect(policy).toMatchObject({
      sanctionedOnly: true,
      assistantFor: [{ what: { vendors: ['acme'] }, groups: ['staff'], assistant: 'b' }],
      groups: { staff: { networks: [], users: ['ada', 'bob@corp.test'], forwarded: ['Staff'] } },
      sites: { berlin: { networks: ['10.40.0.0/16'], assistant: 'a' } },
      riskClasses: { high: { vendors: ['acme'], tags: ['maker'] } },
    });
    expect(policy.rules[0]).toMatchObject({
      what: { risks: ['high'] },
      sites: ['berlin'],
      from: Date.parse('2026-07-09T22:00:00Z'),
      schedule: { zone: { name: 'Europe/Berlin' }, holidays: new Set([20_812, 20_729]) },
      owner: 'Security',
      details: 'https://x.test/',
    });
  });

  test.each<readonly [what: string, text: string, complaint: string]>([
    [
      'a group with nobody in it',
      'groups: { a: {} }',
      '1:14: the group is empty; add one of networks, users, forwarded',
    ],
    [
      'a risk class with nothing in it',
      'risk_classes: { a: {} }',
      '1:20: the class is empty; add one of vendors, products, channels, tags',
    ],
    [
      'a site with the id of a group',
      'groups: { a: { users: x } }\nsites: { a: { networks: 10.0.0.0/8 } }',
      '2:10: "a" is already the id of a group; rename one of the two',
    ],
    [
      'an unknown site',
      'sites: { berlin: { networks: 10.0.0.0/8 } }\nrules: [{ id: r, vendors: acme, sites: berln, effect: deny, reason: R. }]',
      '2:40: unknown site "berln"; did you mean "berlin"?',
    ],
    [
      'an unknown risk class',
      'risk_classes: { high: { vendors: acme } }\nrules: [{ id: r, risks: hihg, effect: deny, reason: R. }]',
      '2:25: unknown risk class "hihg"; did you mean "high"?',
    ],
    [
      'an unknown vendor in a risk class',
      'risk_classes: { high: { vendors: amce } }',
      '1:34: unknown vendor "amce"; did you mean "acme"?',
    ],
    [
      'an unknown assistant of a choice',
      'assistant_for: [{ vendors: acme, assistant: x }]',
      '1:45: unknown assistant "x"; there are none yet',
    ],
    [
      'an unknown assistant of a site',
      'sites: { a: { networks: 10.0.0.0/8, assistant: x } }',
      '1:48: unknown assistant "x"; there are none yet',
    ],
    [
      'an id that is ours',
      'rules: [{ id: default-catalogue, vendors: acme, effect: deny, reason: R. }]',
      '1:15: the id "default-catalogue" is reserved; choose another',
    ],
    [
      'days of several clocks',
      'sites: { a: { networks: 10.0.0.0/8, time_zone: Asia/Shanghai }, b: { networks: 11.0.0.0/8 } }\nrules: [{ id: r, vendors: acme, sites: [a, b], windows: daily, effect: deny, reason: R. }]',
      '2:40: its sites are in different time zones, Asia/Shanghai and UTC; add "time_zone", or write a rule for each',
    ],
  ])('refuses %s', (_, text, complaint) => {
    expect(() => policyOf(text)).toThrow(`policy.yaml:${complaint}`);
  });

  test('gives the hours of a week, in the time zone of the rule or of the file', () => {
    const policy = policyOf(`
time_zone: Europe/Berlin
holidays: [2026-12-25, 2027-01-01]
rules:
  - { id: a, vendors: acme, windows: [mon-fri 08:00-18:00, sat], holidays: except, effect: deny, reason: A. }
  - { id: b, vendors: acme, from: 2026-07-10, windows: daily 22:00-06:00, time_zone: Asia/Shanghai, effect: deny, reason: B. }
  - { id: c, vendors: acme, holidays: only, effect: allow, reason: C., open_tunnels: cut }
  - { id: d, vendors: acme, effect: allow, reason: D. }
`);
    const [a, b, c, d] = policy.rules;
    expect(a?.schedule).toMatchObject({
      zone: { name: 'Europe/Berlin' },
      windows: [
        { days: 0b1_1111, start: 480, end: 1080 },
        { days: 0b10_0000, start: 0, end: 1440 },
      ],
      holidays: new Set([20_812, 20_819]),
      onHolidays: 'except',
    });
    expect(b?.from).toBe(Date.parse('2026-07-09T16:00:00Z'));
    expect(b?.schedule).toMatchObject({ zone: { name: 'Asia/Shanghai' }, onHolidays: 'as-usual' });
    expect(c).toMatchObject({ onChange: 'cut', schedule: { windows: [{ days: 0b111_1111 }], onHolidays: 'only' } });
    expect(d?.schedule).toBeUndefined();
  });

  test('says so where there are no holidays to go by', () => {
    const text = 'rules: [{ id: a, vendors: acme, holidays: only, effect: deny, reason: A. }]';
    expect(() => policyOf(text)).toThrow(
      'policy.yaml:1:43: no holidays are defined; list their dates under "holidays" at the top level of the file',
    );
  });

  test('gives all that a rule and an exception can say', () => {
    const policy = policyOf(`
time_zone: America/New_York
assistants: { a: { name: A, url: 'https://a.test/' } }
default_assistant: a
groups: { staff: { networks: [10.0.0.0/8, 192.168.1.1, 'FD00::/8'] } }
rules:
  - id: r
    vendors: [acme]
    products: acme/chat
    channels: [direct, cloud]
    tags: maker
    domains: [Example.COM., =BÜCHER.example, 10.1.2.3]
    groups: staff
    from: 2026-07-10
    until: 2026-07-10T12:00:00+02:00
    effect: deny
    reason: Because.
    assistant: a
    manner: reset
    redirect: immediate
    link: mailto:it@corp.test
exceptions:
  - { id: e, vendors: acme, until: 2026-12-01, approved_by: CISO, ticket: T-1, reason: Study. }
defaults: { unlisted: deny, catalogue: deny, manner: refuse, redirect: immediate, raw_address: monitor }
`);
    expect(policy.rules).toEqual([
      {
        id: 'r',
        what: {
          vendors: ['acme'],
          products: ['acme/chat'],
          channels: ['direct', 'cloud'],
          tags: ['maker'],
          domains: ['example.com', '=xn--bcher-kva.example', '=10.1.2.3'],
        },
        groups: ['staff'],
        from: Date.parse('2026-07-10T04:00:00Z'),
        until: Date.parse('2026-07-10T10:00:00Z'),
        effect: 'deny',
        reason: 'Because.',
        assistant: 'a',
        manner: 'reset',
        redirect: 'immediate',
        link: 'mailto:it@corp.test',
      },
    ]);
    expect(policy.exceptions).toEqual([
      {
        id: 'e',
        what: { vendors: ['acme'] },
        until: Date.parse('2026-12-01T05:00:00Z'),
        approvedBy: 'CISO',
        ticket: 'T-1',
        reason: 'Study.',
      },
    ]);
    expect(policy.groups).toEqual({
      staff: { networks: ['10.0.0.0/8', '192.168.1.1/32', 'fd00::/8'], users: [], forwarded: [] },
    });
    expect(policy.assistants).toEqual([{ id: 'a', name: 'A', url: 'https://a.test/' }]);
    expect(policy.defaultAssistant).toBe('a');
    expect(policy.defaults).toEqual({
      unlisted: 'deny',
      catalogue: 'deny',
      manner: 'refuse',
      redirect: 'immediate',
      rawAddress: 'monitor',
      echPublicNames: [],
      onChange: 'keep',
    });
  });

  test('reads CRLF and a byte order mark as if they were not there', () => {
    expect(policyOf(`\uFEFF${goodPolicy.replaceAll('\n', '\r\n')}`)).toEqual(policyOf(goodPolicy));
  });
});

test('the default for unknown makers is there only where it is written', () => {
  const defaultsOf = (text: string): unknown =>
    withConfig({ 'policy.yaml': text }, (file) => loadConfig(file).policy.defaults);
  expect(defaultsOf('{}')).not.toHaveProperty('unknownModel');
  expect(defaultsOf('defaults: { unknown_model: deny }')).toMatchObject({ unknownModel: 'deny', catalogue: 'monitor' });
});

test('what becomes of encrypted hellos is there only where it is written; more public names are in canonical form', () => {
  const defaultsOf = (text: string): unknown =>
    withConfig({ 'policy.yaml': text }, (file) => loadConfig(file).policy.defaults);
  expect(defaultsOf('{}')).not.toHaveProperty('ech');
  expect(defaultsOf('defaults: { ech: allow }')).toMatchObject({ ech: 'allow' });
  expect(defaultsOf('defaults: { ech: deny, ech_public_names: [ECH.Example.] }')).toMatchObject({
    ech: 'deny',
    echPublicNames: ['ech.example'],
  });
  expect(() => defaultsOf('defaults: { ech: monitor }')).toThrow(/"ech" must be one of allow, deny/);
  expect(() => defaultsOf('defaults: { ech_public_names: [192.0.2.1] }')).toThrow(/is an address; write a name/);
});
