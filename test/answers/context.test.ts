import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createContextSigner, sha256 } from '../../src/answers/context.ts';

const secret = Buffer.alloc(32, 7);
const now = Date.parse('2026-08-03T09:41:00.750Z');
const payload = { vendor: 'anthropic', id: '9f2c41d07be8a3550c1d92ef' };
const signer = createContextSigner(secret, 600);
const token = signer.sign(payload, now);
const [body = '', seal = ''] = token.split('.');

/** A token with a true seal, over any text. */
function sealed(text: string): string {
  const encoded = Buffer.from(text).toString('base64url');
  return `${encoded}.${createHmac('sha256', secret).update(encoded).digest('base64url')}`;
}

describe('a signed context', () => {
  test('comes back as it was', () => {
    expect(signer.verify(token, now)).toEqual({ ok: true, payload });
    const unknown = { vendor: null, id: 'x' };
    expect(signer.verify(signer.sign(unknown, now), now)).toEqual({ ok: true, payload: unknown });
  });

  test('fits into a query without encoding, and says no more than it must', () => {
    expect(encodeURIComponent(token)).toBe(token);
    expect(JSON.parse(Buffer.from(body, 'base64url').toString())).toEqual({
      v: 'anthropic',
      id: payload.id,
      exp: Math.floor(now / 1000) + 600,
    });
  });

  test('ends with its lifetime', () => {
    const end = (Math.floor(now / 1000) + 600) * 1000;
    expect(signer.verify(token, end - 1).ok).toBe(true);
    expect(signer.verify(token, end)).toEqual({ ok: false, why: 'expired' });
  });

  test.each<readonly [string, string]>([
    ['another body', `${Buffer.from('{"v":"openai","id":"1","exp":9999999999}').toString('base64url')}.${seal}`],
    ['another first character', `${body}.${seal.startsWith('A') ? 'B' : 'A'}${seal.slice(1)}`],
    ...['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']
      .filter((last) => !seal.endsWith(last))
      .map((last) => [`another last character, ${last}`, `${body}.${seal.slice(0, -1)}${last}`] as const),
    ['the seal of another secret', createContextSigner(Buffer.alloc(32, 8), 600).sign(payload, now)],
  ])('with %s is forged', (_what, forged) => {
    expect(signer.verify(forged, now)).toEqual({ ok: false, why: 'forged' });
  });

  test.each([
    '',
    '.',
    'x',
    body,
    `${body}.`,
    `${token}.`,
    `${token}=`,
    `.${seal}`,
    ` ${token}`,
    `${body}.${seal.slice(1)}`,
    `${'A'.repeat(100_000)}.${seal}`,
    sealed('no JSON'),
    sealed('null'),
    sealed('[]'),
    sealed('{"v":"a","id":"b"}'),
    sealed('{"v":1,"id":"b","exp":9999999999}'),
    sealed('{"v":"a","id":null,"exp":9999999999}'),
    sealed('{"v":"a","id":"b","exp":"9999999999"}'),
  ])('%s is malformed', (malformed) => {
    expect(signer.verify(malformed, now)).toEqual({ ok: false, why: 'malformed' });
  });
});

test('the SHA-256 of nothing', () => {
  expect(sha256('')).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
});
