/** One policy with its catalogue and groups, compiled: what the lifecycle reads once for each attempt. */
import { fallBack } from '../act/fall-back.ts';
import { compile, withExceptions } from '../decide/compile.ts';
import type { Policy } from '../decide/compile.ts';
import { decide } from '../decide/decide.ts';
import type { DomainSets } from '../decide/near.ts';
import { indexHosts } from '../decide/match.ts';
import { indexAccountCalls } from '../identify/account-calls.ts';
import { createIdentify } from '../identify/identify.ts';
import type { IdentifyOptions } from '../identify/identify.ts';
import { membersOf } from '../identify/named-clients.ts';
import { indexServices } from '../identify/services.ts';
import type { Config } from '../config/schema.ts';
import type { PolicyDocument } from '../flow.ts';
import type { Snapshot } from '../lifecycle.ts';

const indexed = new WeakMap<Config['vendors'], Pick<IdentifyOptions, 'services' | 'accountCalls'>>();

/** The catalogue is indexed once: most reloads change only the policy. */
function indexCatalogue(vendors: Config['vendors']): Pick<IdentifyOptions, 'services' | 'accountCalls'> {
  const known = indexed.get(vendors) ?? {
    services: indexServices(vendors, indexHosts),
    accountCalls: indexAccountCalls(vendors),
  };
  indexed.set(vendors, known);
  return known;
}

/** A snapshot that can be made anew for other exceptions and pauses, without a look at anything else. */
export interface Compiled extends Snapshot {
  readonly withExceptions: (document: PolicyDocument) => Compiled;
}

/**
 * @param refusesLeaf whether the client at an address keeps refusing our leaves.
 * @param sets the external lists of the policy; left out: none.
 */
export function snapshotOf(
  config: Pick<Config, 'policy' | 'policyHash' | 'vendors'>,
  refusesLeaf: (clientAddress: string) => boolean,
  sets?: DomainSets,
): Compiled {
  const snapshot = (policy: Policy): Compiled => ({
    policy: config.policyHash,
    identify: createIdentify({ ...indexCatalogue(config.vendors), groups: membersOf(policy.document) }),
    decide(question, now) {
      const { decision, action } = decide(policy, question, now);
      return { decision, action: fallBack(action, question, refusesLeaf) };
    },
    withExceptions: (document) => snapshot(withExceptions(policy, document)),
  });
  return snapshot(compile(config.policy, sets));
}
