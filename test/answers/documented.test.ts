/** Whether docs/answers.md says what is so: the table of answers, and the verifier that it gives away. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { answerTable } from '../../src/answers/classes.ts';
import { createContextSigner } from '../../src/answers/context.ts';

const text = readFileSync(new URL('../../docs/answers.md', import.meta.url), 'utf8');
const documented = Array.from(text.matchAll(/^\| `([a-z-]+)` +\|/gm), ([, name]) => name);

test('every class of clients is there, in the order in which they are tried', () => {
  const classes = answerTable.map(({ name }) => name).filter((name) => name !== 'wire');
  expect(documented.slice(0, classes.length)).toEqual(classes);
});

test('the verifier takes what was signed, and nothing else', async () => {
  const [, source = ''] = /```js\n([^]*?)```/.exec(text) ?? [];
  const module = `data:text/javascript,${encodeURIComponent(source.replace('function verify', 'export function verify'))}`;
  const { verify } = (await import(/* @vite-ignore */ module)) as {
    verify: (token: string, key: string, now?: number) => unknown;
  };
  const key = Buffer.alloc(32, 7);
  const file = `${key.toString('hex')}\n`;
  const payload = { vendor: 'anthropic', id: 'f00d' };
  const now = Date.now();
  const token = createContextSigner(key, 600).sign(payload, now);
  expect(verify(token, file)).toEqual(payload);
  expect(verify(token, file, now / 1000 + 601)).toBeNull();
  expect(verify(token, Buffer.alloc(32, 8).toString('hex'))).toBeNull();
  for (const forged of ['', '.', `x${token}`, token.slice(0, -1), `${token}=`]) expect(verify(forged, file)).toBeNull();
});
