import { expect, test } from 'vitest';
import { head, shapedAnswer } from '../../src/answers/denied.ts';
import { messageOf, wordsFor } from '../../src/answers/message.ts';
import { shapeOf } from '../../src/answers/shapes.ts';
import type { Answer, Denial } from '../../src/flow.ts';
import { answers, asks, denial, jsonOf, message, settings, visits } from './samples.ts';

const about = asks();
const words = wordsFor(denial, about, settings);
const denied = { denial, about, settings, words, message: messageOf(words) };

test('a denial bears the whole message in its field, and the address in its status line', () => {
  const { headers, reason } = head(denied, 'x', 403);
  expect(headers['Proxy-Status']).toContain(`details="${message}"`);
  expect(reason).toContain('https://assistant.example/qoder');
});

test("the shape's fields and the class's fields are both sent; the class decides the status", () => {
  const more = { Vary: 'Origin' };
  const answer = shapedAnswer({ ...denied, shape: shapeOf('bedrock'), status: 418, name: 'x', more });
  expect(answer).toMatchObject({ name: 'x', status: 418 });
  expect(answer.headers).toMatchObject({ 'x-amzn-errortype': 'AccessDeniedException', ...more });
  expect(jsonOf(answer)).toMatchObject({ message });
});

test.each([
  ['a page', visits()],
  ['the request of a script', asks({ headers: { origin: 'https://claude.ai' } })],
  ['a redirect', visits()],
])('%s clears what the denied site has stored, only where the rule says so', (what, asked) => {
  const give = (denied: Denial): Answer =>
    what === 'a redirect' ? answers.redirected(denied, asked) : answers.denied(denied, asked);
  expect(give({ ...denial, clearSiteData: true }).headers['Clear-Site-Data']).toBe('"cache", "storage"');
  expect(give(denial).headers).not.toHaveProperty('Clear-Site-Data');
});
