/** The certificate of the proxy port if none is configured: issued by our CA for all names of the port. */
import type { KeyObject } from 'node:crypto';
import type { Authority } from './authority.ts';
import { validityOf, type Validity } from './leaves.ts';
import { createMint, type Host } from './x509.ts';

export interface PortLeaf extends Validity {
  /** PEM, with intermediates. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface PortLeafOptions {
  readonly key: KeyObject;
  /** 30 to 90. */
  readonly leafDays: number;
  /** Wall clock, epoch milliseconds. */
  readonly now: number;
}

/** @throws {SallyportError} `internal_error` once the CA has expired. */
export function mintPortLeaf(
  authority: Authority,
  [first, ...others]: readonly [Host, ...Host[]],
  { key, leafDays, now }: PortLeafOptions,
): PortLeaf {
  const life = validityOf(authority, leafDays, now);
  const cert = createMint(authority, key)(first, life.from, life.until, others) + authority.chain;
  return { ...life, cert, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
