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
      assistants: [],
      defaultAssistant: null,
      groups: {},
      rules: [],
      exceptions: [],
      defaults: {
        unlisted: 'allow',
        catalogue: 'monitor',
        manner: 'intercept',
        redirect: 'page',
        rawAddress: 'deny',
      },
    });
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
    expect(policy.groups).toEqual({ staff: ['10.0.0.0/8', '192.168.1.1/32', 'fd00::/8'] });
    expect(policy.assistants).toEqual([{ id: 'a', name: 'A', url: 'https://a.test/' }]);
    expect(policy.defaultAssistant).toBe('a');
    expect(policy.defaults).toEqual({
      unlisted: 'deny',
      catalogue: 'deny',
      manner: 'refuse',
      redirect: 'immediate',
      rawAddress: 'monitor',
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
