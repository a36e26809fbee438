/** The defaults of a policy: what applies to hosts that no rule is about. */
import type { Effect, HostKind, Pause, PolicyDocument, Service } from '../flow.ts';
import type { Policy } from './compile.ts';
import { readEffect } from './entry.ts';

/** Ids of decisions that no rule of the policy made. */
export const builtIn = {
  sanctionedOnly: 'default-sanctioned-only',
  catalogue: 'default-catalogue',
  unknownModel: 'default-unknown-model',
  unlisted: 'default-unlisted',
  rawAddress: 'default-raw-address',
  serverNameMismatch: 'server-name-mismatch',
  encryptedClientHello: 'encrypted-client-hello',
} as const;

/** A default of the policy, applied to one host. */
export interface Default {
  readonly id: string;
  readonly effect: Effect;
  readonly reason: string;
  /** The pause that lifted its denial. */
  readonly pause?: Pause;
}

const done = { allow: 'let through', monitor: 'let through and counted', deny: 'denied' } as const;

/** The defaults of a policy by kind of host. */
export interface Fallbacks {
  /** Null: services need no approval. */
  readonly sanctionedOnly: Default | null;
  /** Null: any model may answer. */
  readonly unknownModel: Default | null;
  readonly catalogue: Default;
  readonly rawAddress: Default;
  readonly unlisted: Default;
}

function fallback(id: string, given: Effect, why: string, what: 'it' | 'that'): Default {
  const { effect, reason } = readEffect(given, why);
  return { id, effect, reason: `${reason}; by default ${what} is ${done[effect]}.` };
}

/** Built once for each policy rather than for each decision. */
export function fallbacksOf({ defaults, sanctionedOnly = false }: PolicyDocument): Fallbacks {
  const { unknownModel, catalogue, rawAddress, unlisted } = defaults;
  const unapproved = 'Only approved AI services may be used, and this one is not approved.';
  return {
    sanctionedOnly: sanctionedOnly ? { id: builtIn.sanctionedOnly, effect: 'deny', reason: unapproved } : null,
    unknownModel:
      unknownModel === undefined
        ? null
        : fallback(builtIn.unknownModel, unknownModel, 'It is not known whose model answers here', 'that'),
    catalogue: fallback(builtIn.catalogue, catalogue, 'No rule names this AI service', 'it'),
    rawAddress: fallback(builtIn.rawAddress, rawAddress, 'The client names an address, not a host', 'that'),
    unlisted: fallback(builtIn.unlisted, unlisted, 'No rule names this host, and it is not a known AI service', 'it'),
  };
}

/** The default for a host that no rule names. */
export function defaultFor({ fallbacks }: Policy, kind: HostKind, service: Service | null): Default {
  if (service === null) return kind === 'name' ? fallbacks.unlisted : fallbacks.rawAddress;
  if (fallbacks.sanctionedOnly !== null) return fallbacks.sanctionedOnly;
  if (service.model === null && fallbacks.unknownModel !== null) return fallbacks.unknownModel;
  return fallbacks.catalogue;
}
