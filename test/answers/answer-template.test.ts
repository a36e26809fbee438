import { describe, expect, test } from 'vitest';
import { serialize } from '../../src/act/write.ts';
import { createAnswers } from '../../src/answers/answers.ts';
import { createAnswerTemplates } from '../../src/answers/answer-template.ts';
import type { About } from '../../src/answers/settings.ts';
import type { Answer, Denial } from '../../src/flow.ts';
import { asks, at, connects, denial, id, settings, visits } from './samples.ts';

/** Another id for each. */
function idOf(n: number): string {
  return n.toString(16).padStart(24, 'c0ffee');
}

/** All that an answer tells, field by field and as a whole. */
function told(answer: Answer) {
  const { name, status, reason, headers, body, whole } = answer;
  const bytes = whole?.bytes ?? serialize(answer);
  return { name, status, reason, headers, body: body.toString('latin1'), bytes: bytes.toString('latin1') };
}

/** As it is made where nothing was kept before. */
function fresh(about: About, of: Denial): ReturnType<typeof told> {
  return told(createAnswers(settings, serialize).denied(of, about));
}

const chinese: Denial = { ...denial, reason: '源代码不得离开公司', reasons: { zh: '源代码不得离开公司' } };
const long: Denial = { ...denial, reason: 'x'.repeat(290), link: `https://ask.example/${'y'.repeat(200)}` };

describe('an answer that is given again and again is what it would be by itself', () => {
  test.each<readonly [string, About, Denial]>([
    ['a CONNECT', connects, denial],
    ['a page', visits(), denial],
    ['a page in another language', visits({ 'accept-language': 'zh-CN,zh;q=0.9' }), chinese],
    ['a page in a frame', visits({ 'sec-fetch-dest': 'iframe' }), denial],
    ['an API', asks(), denial],
    ['a reason so long that the id is cut', asks(), long],
    ['no service', visits(), { ...denial, service: null, assistant: null }],
  ])('%s', (_what, about, of) => {
    const answers = createAnswers(settings, serialize);
    for (let n = 0; n < 6; n += 1) {
      const one = { ...about, id: idOf(n), at: at + n * 777 };
      expect(told(answers.denied(of, one))).toEqual(fresh(one, of));
    }
  });

  test('in the next minute', () => {
    const answers = createAnswers(settings, serialize);
    for (const later of [0, 1, 2, 59_999, 60_000, 60_001, 60_002, 200_000]) {
      const one = { ...visits(), id: idOf(later), at: at + later };
      expect(told(answers.denied(denial, one))).toEqual(fresh(one, denial));
    }
  });

  test('after the rule was worded anew, and for another host, language or frame', () => {
    const answers = createAnswers(settings, serialize);
    const other = { ...denial, reason: 'Another one' };
    const translated = { ...denial, reasons: { zh: '源代码不得离开公司' } };
    const forms = [visits(), visits({ 'accept-language': 'zh' }), visits({ 'sec-fetch-dest': 'iframe' }), asks()];
    const hosts = forms.map((form) => ({ ...form, target: { ...form.target, port: 8443 } }));
    for (let round = 0; round < 4; round += 1) {
      for (const about of [...forms, ...hosts, connects]) {
        for (const of of [denial, other, denial, translated, denial])
          expect(told(answers.denied(of, about))).toEqual(fresh(about, of));
      }
    }
  });
});

describe('the bytes of an answer', () => {
  const answers = createAnswers(settings, serialize);
  const ask = (n: number): Answer => answers.denied(denial, { ...visits(), id: idOf(n) });
  const expected = (n: number): ReturnType<typeof told> => fresh({ ...visits(), id: idOf(n) }, denial);
  ask(0);
  ask(1);

  test('are written over once they were given back, and never before', () => {
    const held = [2, 3, 4, 5, 6].map((n) => ({ n, answer: ask(n) }));
    for (const { n, answer } of held) expect(told(answer)).toEqual(expected(n));
    const memories = held.map(({ answer }) => answer.whole?.bytes.buffer);
    // None is part of a pool that would be kept with it.
    expect(new Set(memories).size).toBe(held.length);
    const [first, ...others] = held;
    first?.answer.whole?.giveBack();
    const next = ask(7);
    expect(next.whole?.bytes).toBe(first?.answer.whole?.bytes);
    expect(told(next)).toEqual(expected(7));
    for (const { n, answer } of others) expect(told(answer)).toEqual(expected(n));
  });

  test('are kept for a few', () => {
    const many = Array.from({ length: 20 }, (_, n) => ask(n));
    for (const { whole } of many) whole?.giveBack();
    const again = new Set(Array.from({ length: 20 }, (_, n) => ask(n).whole?.bytes));
    expect(many.filter(({ whole }) => again.has(whole?.bytes)).length).toBe(3);
  });

  test('are made anew where an id or a token is of another length', () => {
    for (const id of ['short', `${idOf(1)}${idOf(2)}`, '']) {
      const one = { ...visits(), id };
      expect(told(answers.denied(denial, one))).toEqual(fresh(one, denial));
    }
    let length = 9;
    const unsteady = createAnswers({ ...settings, sign: () => 'x'.repeat((length += 1)) }, serialize);
    for (let n = 0; n < 5; n += 1) {
      const { whole, body } = unsteady.denied(denial, { ...visits(), id: idOf(n) });
      expect(whole).toBeUndefined();
      expect(body.toString()).toContain(`=${'x'.repeat(10)}`);
    }
  });
});

describe('what is kept', () => {
  function counted(limit?: number) {
    let made = 0;
    const templates = createAnswerTemplates(settings, serialize, limit);
    const answer = (key: string, details = ''): Answer =>
      templates.answer(key, denial, { ...connects, id }, (about) => {
        made += 1;
        return { name: 'x', status: 403, reason: 'No', headers: { 'X-Id': about.id }, body: Buffer.from(details) };
      });
    return { answer, made: () => made };
  }

  test('is made once where it is asked for again, and not for what is asked for once', () => {
    const { answer, made } = counted();
    answer('a');
    answer('b');
    expect(made()).toBe(2);
    answer('a');
    expect(made()).toBe(5);
    for (let n = 0; n < 10; n += 1) expect(answer('a').headers).toEqual({ 'X-Id': id });
    expect(made()).toBe(5);
  });

  test('is bounded in number and in what a client can put into a key', () => {
    const { answer, made } = counted(4);
    for (let n = 0; n < 3; n += 1) for (const key of ['a', 'b', 'c', 'd', 'e']) answer(key);
    const before = made();
    answer('x'.repeat(500));
    answer('x'.repeat(500));
    answer('x'.repeat(500));
    expect(made()).toBe(before + 3);
  });
});
