/**
 * What an answer takes along to the assistant, signed: `base64url(JSON) . base64url(HMAC-SHA256)`. It says which vendor
 * was denied, under which id, and until when the token holds; nothing about the person. This is also the one file of
 * the station with cryptography in it.
 */
import { createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';

export interface ContextPayload {
  /** Vendor id of the catalogue; null for a host that it does not know. */
  readonly vendor: string | null;
  /** Id of the block. */
  readonly id: string;
}

export type Verified =
  | { readonly ok: true; readonly payload: ContextPayload }
  | { readonly ok: false; readonly why: 'malformed' | 'forged' | 'expired' };

export interface ContextSigner {
  /** @param now epoch milliseconds. */
  readonly sign: (payload: ContextPayload, now: number) => string;
  /** @param now epoch milliseconds. Never throws, whatever the token is. */
  readonly verify: (token: string, now: number) => Verified;
}

const form = /^([A-Za-z0-9_-]{1,1024})\.([A-Za-z0-9_-]{43})$/;

export function createContextSigner(secret: Buffer, lifetimeSeconds: number): ContextSigner {
  // A key object: made from bytes, it would be made again for each answer.
  const key = createSecretKey(secret);
  const seal = (body: string): string => createHmac('sha256', key).update(body).digest('base64url');
  return {
    sign({ vendor, id }, now) {
      const expires = Math.floor(now / 1000) + lifetimeSeconds;
      const body = Buffer.from(JSON.stringify({ v: vendor, id, exp: expires })).toString('base64url');
      return `${body}.${seal(body)}`;
    },
    verify(token, now) {
      const [, body, signature] = form.exec(token) ?? [];
      if (body === undefined || signature === undefined) return { ok: false, why: 'malformed' };
      // As text, of 43 characters both: several texts decode to the same 32 bytes, and only one was signed.
      if (!timingSafeEqual(Buffer.from(seal(body)), Buffer.from(signature))) return { ok: false, why: 'forged' };
      const claims = claimsOf(body);
      if (claims === null) return { ok: false, why: 'malformed' };
      if (claims.expires * 1000 <= now) return { ok: false, why: 'expired' };
      return { ok: true, payload: claims.payload };
    },
  };
}

function claimsOf(body: string): { readonly payload: ContextPayload; readonly expires: number } | null {
  const claims = parse(Buffer.from(body, 'base64url').toString());
  if (typeof claims !== 'object' || claims === null) return null;
  if (!('v' in claims && 'id' in claims && 'exp' in claims)) return null;
  const { v: vendor, id, exp: expires } = claims;
  if ((typeof vendor !== 'string' && vendor !== null) || typeof id !== 'string' || typeof expires !== 'number')
    return null;
  return { payload: { vendor, id }, expires };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** As Content-Security-Policy names an inline style (CSP 3, section 2.3.1): SHA-256 in base64. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
