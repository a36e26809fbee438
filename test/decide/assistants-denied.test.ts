import { expect, test } from 'vitest';
import { compile } from '../../src/decide/compile.ts';
import { decide } from '../../src/decide/decide.ts';
import type { Hostname } from '../../src/flow.ts';
import { day, document, now, question, serviceAt } from './questions.ts';
import type { PolicyGiven, QuestionGiven } from './questions.ts';

/** Where somebody is sent who asks for claude.ai; the assistants are at qoder.test and chatgpt.com. */
function sentTo(policy: PolicyGiven, asked: QuestionGiven = {}): string | null | undefined {
  const places = new Map(['qoder.test', 'chatgpt.com'].map((host, i) => [['qoder', 'inhouse'][i], host]));
  const compiled = compile(document(policy), undefined, ({ id }) => {
    const host = places.get(id) as Hostname;
    return { host, service: serviceAt(host) };
  });
  const { decision } = decide(compiled, question(asked), now);
  expect(decision.effect).toBe('deny');
  return decision.effect === 'deny' ? (decision.denial.assistant?.id ?? null) : undefined;
}

const ban = { vendors: ['anthropic'] };
const noChatGpt = { vendors: ['openai'] };

test.each<[string, PolicyGiven, string | null]>([
  ['the one that the rule names', { rules: [{ ...ban, assistant: 'inhouse' }] }, 'inhouse'],
  ['the next where that one is denied', { rules: [{ ...ban, assistant: 'inhouse' }, noChatGpt] }, 'qoder'],
  [
    'nowhere where all of them are',
    { rules: [{ ...ban, assistant: 'inhouse' }, noChatGpt, { domains: ['qoder.test'] }] },
    null,
  ],
  ['one that only another group is denied', { rules: [ban, { domains: ['qoder.test'], groups: ['design'] }] }, 'qoder'],
  ['one that is denied later', { rules: [ban, { domains: ['qoder.test'], from: now + day }] }, 'qoder'],
  [
    'one that an exception lets through',
    { rules: [{ ...ban, assistant: 'inhouse' }, noChatGpt], exceptions: [{ vendors: ['openai'] }] },
    'inhouse',
  ],
  [
    'one whose denial is paused',
    {
      rules: [{ ...ban, assistant: 'inhouse' }, noChatGpt],
      pauses: [{ vendor: 'openai', from: now - day, until: now + day }],
    },
    'inhouse',
  ],
  ['one that is merely in no list', { rules: [ban], defaults: { unlisted: 'deny' } }, 'qoder'],
  ['none that nobody has sanctioned', { rules: [{ ...ban, assistant: 'inhouse' }], sanctionedOnly: true }, 'qoder'],
  [
    'the assistant of the site where that of the rule is denied',
    {
      rules: [{ ...ban, assistant: 'qoder' }, { domains: ['qoder.test'] }],
      sites: { eu: { networks: [], assistant: 'inhouse' } },
    },
    'inhouse',
  ],
])('people are sent to %s', (_, policy, assistant) => {
  expect(sentTo(policy, { groups: ['research', 'eu'] })).toBe(assistant);
});

test('an assistant whose place nobody knows is not judged', () => {
  const { decision } = decide(compile(document({ rules: [ban, { domains: ['qoder.test'] }] })), question(), now);
  expect(decision).toMatchObject({ denial: { assistant: { id: 'qoder' } } });
});
