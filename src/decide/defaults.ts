/** What a policy does with hosts that none of its rules is about. */
import type { Effect, HostKind, Pause, PolicyDocument, Service } from '../flow.ts';
import type { Policy } from './compile.ts';
import { readEffect } from './entry.ts';

/** Ids that a decision bears where no rule of the policy decided. */
export const builtIn = {
  sanctionedOnly: 'default-sanctioned-only',
  catalogue: 'default-catalogue',
  unknownModel: 'default-unknown-model',
  unlisted: 'default-unlisted',
  rawAddress: 'default-raw-address',
  serverNameMismatch: 'server-name-mismatch',
  encryptedClientHello: 'encrypted-client-hello',
} as const;

/** A default of the policy, as it applies to one host. */
export interface Default {
  readonly id: string;
  readonly effect: Effect;
  readonly reason: string;
  /** What lifted the denial that it was. */
  readonly pause?: Pause;
}

const done = { allow: 'let through', monitor: 'let through and counted', deny: 'denied' } as const;

/** What a policy does with each kind of host that no rule names. */
export interface Fallbacks {
  /** Null: services are not denied for not being approved. */
  readonly sanctionedOnly: Default | null;
  /** Null: it does not matter whose model answers. */
  readonly unknownModel: Default | null;
  readonly catalogue: Default;
  readonly rawAddress: Default;
  readonly unlisted: Default;
}

function fallback(id: string, given: Effect, why: string, what: 'it' | 'that'): Default {
  const { effect, reason } = readEffect(given, why);
  return { id, effect, reason: `${reason}; by default ${what} is ${done[effect]}.` };
}

/** Put into words once for each policy, and not for each decision. */
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
