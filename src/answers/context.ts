/**
 * The signed token that an answer passes to the assistant: `base64url(JSON) . base64url(HMAC-SHA256)`. It contains the
 * denied vendor, the id of the block and the expiry time, but nothing about the person. All cryptography of answers/ is
 * in this file.
 */
import { createHash, createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';

export interface ContextPayload {
  /** Vendor id of the catalogue; null for a host that is not in it. */
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
  // A key object: Node.js would otherwise create one from the bytes for each answer.
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
      // Compared as text of 43 characters: several texts decode to the same 32 bytes, and only one is canonical.
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

/** SHA-256 in base64, which identifies an inline style in Content-Security-Policy (CSP 3, section 2.3.1). */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
