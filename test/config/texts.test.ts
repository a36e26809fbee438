import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { plainText } from '../../src/config/texts.ts';
import { complaint, goodPolicy, withConfig } from './folder.ts';

const withReason = (reason: string): string => goodPolicy.replace('Because.', reason);
const ruleOf = (policy: string) => withConfig({ 'policy.yaml': policy }, (file) => loadConfig(file).policy.rules[0]);

describe('a reason', () => {
  test('in one language is just that', () => {
    expect(ruleOf(goodPolicy)).toMatchObject({ reason: 'Because.', reasons: undefined });
    expect(ruleOf(withReason('{ de: Darum. }'))).toMatchObject({ reason: 'Darum.', reasons: undefined });
  });

  test('in several: English is for those who name none', () => {
    expect(ruleOf(withReason('{ zh-cn: 因为。, en: Because. }'))).toMatchObject({
      reason: 'Because.',
      reasons: { 'zh-CN': '因为。', en: 'Because.' },
    });
  });

  test.each([
    ['{}', 'policy.yaml:9:13: there is no text; write one'],
    ['{ english: x }', 'policy.yaml:9:24: "english" is not a language; write a tag such as en, zh or pt-BR'],
    ['{ en: 42 }', 'policy.yaml:9:19: "en" must be text, not a number; put it in quotes'],
    ['[a]', 'policy.yaml:9:13: "reason" must be text, not a list; correct it'],
  ])('%s is refused', (reason, line) => {
    expect(complaint({ 'policy.yaml': withReason(reason) })).toBe(line);
  });
});

describe('the way over to an assistant', () => {
  const withMigrations = (migrations: string): string =>
    goodPolicy.replace('url: https://ai.corp.test/ }', `url: https://ai.corp.test/, migrations: ${migrations} }`);

  test('is by product or vendor, in one language or several', () => {
    const policy = withMigrations('{ acme/chat: Open it., acme: { en: Go., zh: 去。 } }');
    const assistant = withConfig({ 'policy.yaml': policy }, (file) => loadConfig(file).policy.assistants[0]);
    expect(assistant?.migrations).toEqual({ 'acme/chat': { en: 'Open it.' }, acme: { en: 'Go.', zh: '去。' } });
  });

  test.each([
    ['{ acne: x }', 'unknown vendor "acne"; did you mean "acme"?'],
    ['{ acme/chta: x }', 'unknown product "acme/chta"; did you mean "acme/chat"?'],
    ['{ Acme!: x }', '"Acme!" is neither a vendor nor a product; write openai or openai/chatgpt'],
  ])('%s is refused', (migrations, message) => {
    expect(complaint({ 'policy.yaml': withMigrations(migrations) })).toBe(`policy.yaml:2:72: ${message}`);
  });
});

test('the plain text of none is empty', () => {
  expect(plainText({})).toBe('');
});
