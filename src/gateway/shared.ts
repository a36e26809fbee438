/** The secrets that all processes of one proxy share, so that any of them can continue what another began. */
import { randomBytes, type KeyObject } from 'node:crypto';
import { openAuthority, type Authority } from '../certificates/authority.ts';
import { makeLeafKey } from '../certificates/leaves.ts';
import { openSecret } from '../certificates/secret.ts';
import type { Config } from '../config/schema.ts';

export interface Shared {
  readonly authority: Authority;
  readonly leafKey: KeyObject;
  /** 48 bytes that encrypt session tickets. */
  readonly ticketKeys: Buffer;
  /** Signs contexts. */
  readonly contextSecret: Buffer;
  /** Our pseudonym in `Via`, which reveals a loop (RFC 9110, section 7.6.3). */
  readonly via: string;
}

/** Reads the secrets on disk, or creates them there; the others are new at each start. @throws {ConfigError} */
export async function openShared({ certificates }: Pick<Config, 'certificates'>): Promise<Shared> {
  return {
    authority: await openAuthority({ ...certificates, own: certificates.authority, now: Date.now }),
    leafKey: makeLeafKey(certificates.keyType),
    ticketKeys: randomBytes(48),
    contextSecret: await openSecret(certificates.dir, 'context.key'),
    via: `sallyport-${randomBytes(4).toString('hex')}`,
  };
}
