/** The secrets that all processes of one proxy have in common, so that each can take over where another left off. */
import { randomBytes, type KeyObject } from 'node:crypto';
import { openAuthority, type Authority } from '../certificates/authority.ts';
import { makeLeafKey } from '../certificates/leaves.ts';
import { openSecret } from '../certificates/secret.ts';
import type { Config } from '../config/schema.ts';

export interface Shared {
  readonly authority: Authority;
  readonly leafKey: KeyObject;
  /** 48 bytes that session tickets are sealed with. */
  readonly ticketKeys: Buffer;
  /** What signed contexts are made with. */
  readonly contextSecret: Buffer;
  /** Our name in the Via field, by which a loop is known (RFC 9110, section 7.6.3). */
  readonly via: string;
}

/** Opens what is on disk, or makes it there; the rest is new at each start. @throws {ConfigError} */
export async function openShared({ certificates }: Pick<Config, 'certificates'>): Promise<Shared> {
  return {
    authority: await openAuthority({ ...certificates, own: certificates.authority, now: Date.now }),
    leafKey: makeLeafKey(certificates.keyType),
    ticketKeys: randomBytes(48),
    contextSecret: await openSecret(certificates.dir, 'context.key'),
    via: `sallyport-${randomBytes(4).toString('hex')}`,
  };
}
