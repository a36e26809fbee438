import { describe, expect, test } from 'vitest';
import { lintDomains } from '../../src/config/domain-lint.ts';
import { loadConfig } from '../../src/config/load.ts';
import { lint } from '../../src/config/lint.ts';
import { withConfig } from './folder.ts';

const acme = `id: acme
name: Acme
products:
  - id: chat
    name: Chat
    kind: chat
    hosts: [{ suffix: [acmechat.ai, paypal-ai.com], role: app, source: x, confidence: list }]
shared:
  - { suffix: acmechot.ai, why: Downloads too., product: chat, paths: [/v1/], source: x, confidence: list }
`;

function slips(domains: string, effect = 'deny', more = ''): string[] {
  return found(`rules: [{ id: r, domains: ${domains}, effect: ${effect}, reason: x }${more}]`);
}

function found(policy: string): string[] {
  return withConfig({ 'policy.yaml': policy, 'vendors/acme.yaml': acme }, (file) => {
    const { policy: document, vendors } = loadConfig(file);
    return lintDomains(document, vendors).map(({ message }) => message);
  });
}

describe('warns of', () => {
  test.each<readonly [what: string, domains: string, slip: string]>([
    [
      'a name that carries everything',
      'google.com',
      '"google.com" carries far more than AI services, and all of it is denied; name the hosts that you mean, or the product',
    ],
    [
      'a cloud',
      'amazonaws.com',
      '"amazonaws.com" carries far more than AI services, and all of it is denied; name the hosts that you mean, or the product',
    ],
    [
      'a registry',
      'ai',
      '"ai" is a public suffix, under which anyone can register: all of it is denied; name the hosts that you mean',
    ],
    [
      'the suffix of a company',
      'workers.dev',
      '"workers.dev" is a public suffix, under which anyone can register: all of it is denied; name the hosts that you mean',
    ],
    [
      'an ending that there is not',
      'example.cmo',
      '"example.cmo" can match nothing on the internet: there is no such top-level domain; correct it',
    ],
    [
      'www without the name itself',
      'www.example.com',
      '"www.example.com" does not cover "example.com"; write "example.com", which is the name and everything below it',
    ],
    [
      'a name that another covers',
      '[example.com, a.b.example.com]',
      '"a.b.example.com" adds nothing: "example.com" in the same entry covers it; remove one of the two',
    ],
    [
      'an exact name that another covers',
      '[example.com, =example.com]',
      '"=example.com" adds nothing: "example.com" in the same entry covers it; remove one of the two',
    ],
    [
      'a slip',
      'acmechta.ai',
      '"acmechta.ai" is one letter from "acmechat.ai", which the catalogue knows; did you mean that?',
    ],
    [
      'a digit for a letter',
      'paypa1-ai.com',
      '"paypa1-ai.com" only looks like "paypal-ai.com"; write that if you mean it',
    ],
    ['two letters for one', 'acrnechat.ai', '"acrnechat.ai" only looks like "acmechat.ai"; write that if you mean it'],
    [
      'a name in another alphabet',
      'аcmechat.ai',
      '"xn--cmechat-1fg.ai" only looks like "acmechat.ai"; write that if you mean it',
    ],
  ])('%s', (_, domains, slip) => {
    expect(slips(domains)).toEqual([`the rule "r": ${slip}`]);
  });

  test('two alphabets in one name', () => {
    expect(slips('exаmple-shop.com')).toEqual([
      expect.stringContaining('which mixes alphabets; write the name that you mean'),
    ]);
  });
});

test('warns of an exception for a public suffix, whoever it is for', () => {
  const exception = (domains: string): string =>
    `exceptions: [{ id: e, domains: ${domains}, until: 2027-01-01, approved_by: me, reason: x }]`;
  const says = (name: string): string =>
    `the exception "e": "${name}" is a public suffix, under which anyone can register: all of it is allowed; name the hosts that you mean`;
  expect(found(exception('com'))).toEqual([says('com')]);
  expect(found(exception('[github.io, corp, "=com"]'))).toEqual([says('github.io')]);
});

test('warns of a public suffix that is allowed where vendors are denied', () => {
  const ban = ', { id: ban, vendors: acme, effect: deny, reason: x }';
  const says =
    'the rule "r": "ai" is a public suffix, and a rule about a host takes precedence over those about vendors, products and classes: no AI service below it is denied by them; name the hosts that you mean';
  expect(slips('ai', 'allow', ban)).toEqual([says]);
  expect(slips('ai', 'monitor', ban)).toEqual([says]);
  expect(found('mode: sanctioned-only\nrules: [{ id: r, domains: ai, effect: allow, reason: x }]')).toEqual([says]);
  expect(slips('[github.io, corp]', 'allow', ban)).toEqual([]);
  expect(slips('ai', 'allow', ', { id: ban, domains: acmechat.ai, effect: deny, reason: x }')).toEqual([]);
});

describe('is silent about', () => {
  test.each([
    ['names of the catalogue', '[api.acmechat.ai, =paypal-ai.com]'],
    ['a name of the catalogue that is not AI alone, a letter from another', 'acmechot.ai'],
    ['one host of many', 'bedrock-runtime.us-east-1.amazonaws.com'],
    ['only the name', '=google.com'],
    ['names of the house', '[wiki.corp, nas.home.arpa, host.internal, printer]'],
    ['names in one alphabet', '[bücher.example, пример.рф]'],
    ['addresses', '[127.0.0.1, "2001:db8::1"]'],
  ])('%s', (_, domains) => {
    expect(slips(domains)).toEqual([]);
  });

  test('what is allowed whole', () => {
    expect(slips('google.com', 'allow')).toEqual([]);
  });

  test('all names of the shipped policy', () => {
    const shipped = loadConfig('config/sallyport.yaml');
    expect(lint(shipped, Date.parse('2026-07-10T00:00:00Z'))).toEqual([]);
  });
});
