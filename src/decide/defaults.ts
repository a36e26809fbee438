/** What a policy does with hosts that none of its rules is about. */
import type { Effect, HostKind, Pause, Service } from '../flow.ts';
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

/** The default for a host that no rule names. */
export function defaultFor(policy: Policy, kind: HostKind, service: Service | null): Default {
  const { defaults, sanctionedOnly = false } = policy.document;
  if (service !== null && sanctionedOnly) {
    const reason = 'Only AI services that are approved may be used, and this one is not.';
    return { id: builtIn.sanctionedOnly, effect: 'deny', reason };
  }
  if (service?.model === null && defaults.unknownModel !== undefined) {
    const { effect, reason } = readEffect(defaults.unknownModel, 'Whose model answers here is not known');
    return { id: builtIn.unknownModel, effect, reason: `${reason}; by default that is ${done[effect]}.` };
  }
  if (service !== null) {
    const { effect, reason } = readEffect(defaults.catalogue, 'No rule names this AI service');
    return { id: builtIn.catalogue, effect, reason: `${reason}; by default it is ${done[effect]}.` };
  }
  if (kind !== 'name') {
    const { effect, reason } = readEffect(defaults.rawAddress, 'The client names an address and no host');
    return { id: builtIn.rawAddress, effect, reason: `${reason}; by default that is ${done[effect]}.` };
  }
  const { effect, reason } = readEffect(defaults.unlisted, 'No rule names this host, and it is no known AI service');
  return { id: builtIn.unlisted, effect, reason: `${reason}; by default it is ${done[effect]}.` };
}
