/** One policy with its catalogue and groups, compiled: what the lifecycle reads once per attempt. */
import { fallBack } from '../act/fall-back.ts';
import { compile, withExceptions } from '../decide/compile.ts';
import type { Policy } from '../decide/compile.ts';
import { decide } from '../decide/decide.ts';
import { deniedAddresses, mayDenyAt } from '../decide/dialled.ts';
import type { DomainSets } from '../decide/near.ts';
import { indexHosts } from '../decide/match.ts';
import { addressText } from '../identify/address.ts';
import { indexAccountCalls } from '../identify/account-calls.ts';
import { createIdentify } from '../identify/identify.ts';
import type { IdentifyOptions } from '../identify/identify.ts';
import { membersOf } from '../identify/named-clients.ts';
import { indexServices } from '../identify/services.ts';
import { assistantAt } from '../config/assistant-host.ts';
import type { Config } from '../config/schema.ts';
import type { Hostname, Locate, PolicyDocument } from '../flow.ts';
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

/** Number of addresses that are cached. */
const REMEMBERED = 10_000;

/** Looks up what the policy knows of addresses; null if no denial names any. Exceptions and pauses add none. */
function locator(policy: Policy, vendors: Config['vendors']): Locate | null {
  const { services } = indexCatalogue(vendors);
  const blocks = vendors.flatMap(({ products }) => products.flatMap(({ addresses = [] }) => addresses));
  const owners = blocks.map((block) => services((block.split('/')[0] ?? '') as Hostname));
  const denied = deniedAddresses(policy.document);
  const own = new Set(owners.filter((service) => service !== null));
  if (denied.size === 0 && !mayDenyAt(policy, [...own])) return null;
  const known = new Map<string, ReturnType<Locate>>();
  const find: Locate = (address) => {
    const host = addressText(address) as Hostname;
    const service = services(host);
    return service === null && !denied.has(host) ? null : { host, service };
  };
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    if (known.size >= REMEMBERED) known.clear();
    const found = find(address);
    known.set(address, found);
    return found;
  };
}

/** A snapshot that can be rebuilt quickly for other exceptions and pauses. */
export interface Compiled extends Snapshot {
  readonly withExceptions: (document: PolicyDocument) => Compiled;
}

/**
 * @param refusesLeaf whether the client at an address keeps rejecting our leaves.
 * @param sets the external lists of the policy; none if left out.
 */
export function snapshotOf(
  config: Pick<Config, 'policy' | 'policyHash' | 'vendors' | 'tunnels'>,
  refusesLeaf: (clientAddress: string) => boolean,
  sets?: DomainSets,
): Compiled {
  const compiled = compile(config.policy, sets, ({ url }) => {
    const host = assistantAt(url)?.target.host;
    return host === undefined ? null : { host, service: indexCatalogue(config.vendors).services(host) };
  });
  const locate = locator(compiled, config.vendors);
  const snapshot = (policy: Policy): Compiled => ({
    policy: config.policyHash,
    locate,
    identify: createIdentify({ ...indexCatalogue(config.vendors), groups: membersOf(policy.document) }),
    decide(question, now) {
      const { decision, action } = decide(policy, question, now);
      return { decision, action: fallBack(action, question, refusesLeaf, config.tunnels) };
    },
    withExceptions: (document) => snapshot(withExceptions(policy, document)),
  });
  return snapshot(compiled);
}
