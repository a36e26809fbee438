import { describe, expect, test } from 'vitest';
import { messageOf, policyKeysOf, reasonPhraseOf, wordsFor } from '../../src/answers/message.ts';
import type { Denial } from '../../src/flow.ts';
import { connects, denial, hostileDenial, hostileSettings, id, message, policy, service, settings } from './samples.ts';

const words = (denied: Denial): ReturnType<typeof wordsFor> => wordsFor(denied, connects, settings);
const quiet = { ...settings, company: { name: 'Northwind', contact: null } };

describe('the message', () => {
  test.each<[string, string, string]>([
    ['all of it', messageOf(words(denial)), message],
    [
      'nothing but the rule',
      messageOf(wordsFor({ ...denial, service: null, assistant: null, reason: '' }, connects, quiet)),
      `Blocked by company policy: claude.ai. Rule claude-ban, ref ${id}`,
    ],
    [
      'a vendor that is called like its product',
      messageOf(words({ ...denial, service: { ...service, vendorName: 'Qwen', productName: 'Qwen' } })).slice(0, 48),
      'Blocked by company policy: Qwen. Use Qoder inste',
    ],
    [
      'a link to ask at, instead of the contact',
      messageOf(words({ ...denial, link: 'https://tickets.example/new' })).slice(-85),
      ` company. Questions: https://tickets.example/new Rule claude-ban, ref ${id}`.slice(-85),
    ],
    [
      'an assistant without a web address',
      messageOf(words({ ...denial, assistant: { id: 'q', name: 'Qoder', url: 'qoder://x' } })).slice(0, 75),
      'Blocked by company policy: Claude Code (Anthropic). Use Qoder instead. Reas',
    ],
  ])('%s', (_what, given, expected) => {
    expect(given).toBe(expected);
  });

  test.each([
    ['Install Qoder CLI: npm i -g qoder', 'Install Qoder CLI: npm i -g qoder — Reason: '],
    ['Install Qoder CLI.', 'Install Qoder CLI. Reason: '],
    ['请安装 Qoder CLI。', '请安装 Qoder CLI。 Reason: '],
  ])('sets off how to move over, with no full stop that is copied: %s', (en, expected) => {
    const assistant = { id: 'qoder', name: 'Qoder', url: 'https://a.example/', migrations: { anthropic: { en } } };
    expect(messageOf(words({ ...denial, assistant }))).toContain(`: https://a.example/ ${expected}`);
  });

  test('is one line of limited length with the id at its end', () => {
    const line = messageOf(wordsFor(hostileDenial, connects, hostileSettings));
    expect(line).not.toMatch(/[\r\n\0]/);
    expect(line.length).toBeLessThan(1400);
    expect(line.endsWith(`ref ${id}`)).toBe(true);
  });

  test('has no word of ours that clients retry at', () => {
    expect(messageOf(words(denial))).not.toMatch(/overloaded|expired|cloudflare/i);
  });
});

test.each([
  ['https://assistant.example/', 'Qoder', 'Blocked by company policy - use https://assistant.example/'],
  [`https://assistant.example/${'x'.repeat(80)}`, 'Qodér', 'Blocked by company policy - use Qoder'],
  ['none', 'x'.repeat(90), 'Blocked by company policy'],
])('the reason phrase for %s', (url, name, phrase) => {
  expect(reasonPhraseOf(words({ ...denial, assistant: { id: 'q', name, url } }))).toBe(phrase);
});

test('the reason phrase without an assistant', () => {
  expect(reasonPhraseOf(words({ ...denial, assistant: null }))).toBe('Blocked by company policy');
});

test('the facts for programs', () => {
  expect(policyKeysOf(denial, words(denial))).toEqual(policy);
  const unknown = { ...denial, service: null, assistant: null };
  expect(policyKeysOf(unknown, words(unknown))).toEqual({ ...policy, vendor: null, product: null, assistant: null });
});
