/** What the primary process and its workers say to each other. All of it can be cloned: data, no sockets, no functions. */
import { createPrivateKey } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import type { Addresses } from '../gateway/listening.ts';
import type { Shared } from '../gateway/shared.ts';
import type { Blocked } from '../record/blocks.ts';
import type { MetricsFacts } from '../record/metrics-sum.ts';
import type { TrustNote } from '../record/trust.ts';

/** Secrets as text: keys cannot be cloned. They travel through a socket that only the two processes hold. */
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
  /** Each worker has a listening socket of its own, among which the kernel shares out connections. */
  readonly reusePort: boolean;
  /** What clients made of our leaves, as far as it still matters. */
  readonly notes: readonly TrustNote[];
}

/** Without its vendors where those that the worker has stay in force: they are nearly all of it. */
export type FollowedConfig = Omit<Config, 'vendors'> & Partial<Pick<Config, 'vendors'>>;

export type ToWorker =
  | Start
  | { readonly kind: 'follow'; readonly config: FollowedConfig }
  /** Only exceptions and pauses differ. */
  | { readonly kind: 'adopt'; readonly config: FollowedConfig }
  | { readonly kind: 'notes'; readonly notes: readonly TrustNote[] }
  | { readonly kind: 'metrics' }
  | { readonly kind: 'drain' }
  | { readonly kind: 'end' };

export type ToPrimary =
  /** It can hear. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'listening'; readonly proxy: Addresses['proxy']; readonly tlsPort: number | null }
  /** It cannot serve. `code` is the system's word for it; null: the text says all. */
  | { readonly kind: 'unfit'; readonly text: string; readonly code: string | null }
  | { readonly kind: 'log'; readonly line: string }
  /** Whole lines of the access log. */
  | { readonly kind: 'lines'; readonly text: string }
  | { readonly kind: 'reports'; readonly blocked: readonly Blocked[]; readonly notes: readonly TrustNote[] }
  | { readonly kind: 'metrics'; readonly facts: MetricsFacts }
  /** It met a defect of its own, and takes nothing new. */
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
