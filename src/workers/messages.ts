/**
 * Messages between the primary process and its workers. They contain only data that can be cloned, no sockets or
 * functions.
 */
import { createPrivateKey } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { Addresses } from '../gateway/listening.ts';
import type { Login } from '../identify/password-attempts.ts';
import type { Shared } from '../gateway/shared.ts';
import type { Blocked } from '../record/blocks.ts';
import type { MetricsFacts } from '../record/metrics-sum.ts';
import type { TrustNote } from '../record/trust.ts';

/** Keys as PEM, since `KeyObject`s cannot be sent. Only the two processes have access to the socket. */
export type SharedText = Omit<Shared, 'authority' | 'leafKey'> & {
  readonly authority: Omit<Shared['authority'], 'key'>;
  readonly authorityKey: string;
  readonly leafKey: string;
};

export interface Start {
  readonly kind: 'start';
  readonly config: Config;
  readonly shared: SharedText;
  readonly addresses: Addresses;
  /** Whether each worker has its own listening socket, among which the kernel distributes connections. */
  readonly reusePort: boolean;
  /** Clients' reactions to our leaves that are still relevant. */
  readonly notes: readonly TrustNote[];
  /** The latest logins. */
  readonly logins: readonly Login[];
  /** Ids of the external lists that have domains in the primary process. */
  readonly lists: readonly string[];
}

/** A configuration without `vendors`, which are nearly all of it, if the worker already has the current ones. */
export type FollowedConfig = Omit<Config, 'vendors'> & Partial<Pick<Config, 'vendors'>>;

export type ToWorker =
  | Start
  | { readonly kind: 'follow'; readonly config: FollowedConfig }
  /** Only exceptions and pauses differ. */
  | { readonly kind: 'adopt'; readonly config: FollowedConfig }
  /** From other workers. */
  | { readonly kind: 'notes'; readonly notes: readonly TrustNote[]; readonly logins: readonly Login[] }
  | { readonly kind: 'metrics' }
  | { readonly kind: 'drain' }
  | { readonly kind: 'end' };

export type ToPrimary =
  /** The worker can receive messages. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'listening'; readonly proxy: Addresses['proxy']; readonly tlsPort: number | null }
  /** The worker cannot serve. `code` is the system's error code; null: the text says everything. */
  | { readonly kind: 'unfit'; readonly text: string; readonly code: string | null }
  | { readonly kind: 'log'; readonly line: string }
  /** Whole lines of the access log. */
  | { readonly kind: 'lines'; readonly text: string }
  | {
      readonly kind: 'reports';
      readonly blocked: readonly Blocked[];
      readonly notes: readonly TrustNote[];
      readonly logins: readonly Login[];
    }
  | { readonly kind: 'metrics'; readonly facts: MetricsFacts }
  /** After an internal error, the worker accepts nothing new. */
  | { readonly kind: 'leaving' };

export function toText({ authority, leafKey, ...rest }: Shared): SharedText {
  const { key, ...known } = authority;
  return {
    ...rest,
    authority: known,
    authorityKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    leafKey: leafKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

export function fromText({ authority, authorityKey, leafKey, ...rest }: SharedText): Shared {
  return {
    ...rest,
    authority: { ...authority, key: createPrivateKey(authorityKey) },
    leafKey: createPrivateKey(leafKey),
  };
}
