/**
 * The addresses that a name leads to are judged too: whoever has a name of their own can have it lead to the addresses
 * of a denied vendor. Only what the catalogue or the policy says of addresses counts; that others share them says
 * nothing.
 */
import type { Hostname, PolicyDocument, Service } from '../flow.ts';
import type { Policy } from './compile.ts';
import { defaultFor } from './defaults.ts';
import { fieldOf, isAbout, ruleEntries } from './entry.ts';
import type { Entry } from './entry.ts';
import { subjectOf } from './subject.ts';

/** How near an entry comes to one host, the smaller the nearer; null: a default. */
function nearness(entry: Entry | null): number {
  if (entry === null) return 4;
  if (entry.kind === 'exception') return 0;
  const field = fieldOf(entry.what);
  if (field === 'domains') return 1;
  return field === 'products' || field === 'vendors' ? 2 : 4;
}

/**
 * Whether what lets a name through goes before the denial of its address: an exception does; a rule that names the
 * host, its product or its vendor does, unless the denial names the address itself.
 */
export function nameStands(name: Entry | null, address: Entry | null): boolean {
  return nearness(name) < (nearness(address) === 1 ? 1 : 3);
}

/** Whether the service of the name has its vendor at the address anyway: the vendor's other products are no denial. */
export function isAtHome(named: Service | null, { vendor }: Service): boolean {
  return named !== null && (named.vendor === vendor || named.operator === vendor || named.model === vendor);
}

/** The addresses that denials name, canonical, beside those of the catalogue. */
export function deniedAddresses(document: PolicyDocument): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { effect, what } of ruleEntries(document)) {
    if (effect !== 'deny') continue;
    for (const text of what.domains ?? []) {
      // No name ends in a digit or has a colon.
      if (/\d$|:/.test(text)) found.add(text.startsWith('=') ? text.slice(1) : text);
    }
  }
  return found;
}

/** No host: what is asked is about services, whatever their hosts are. */
const anywhere = '' as Hostname;

/** Whether something may deny, at any time and to anyone, what has these services at addresses of their own. */
export function mayDenyAt(policy: Policy, services: readonly Service[]): boolean {
  if (services.length === 0) return false;
  const denials = ruleEntries(policy.document).filter(({ effect }) => effect === 'deny');
  return services.some((service) => {
    const subject = subjectOf(anywhere, service, policy.risksOf);
    if (defaultFor(policy, 'ipv4', service).effect === 'deny') return true;
    return denials.some((entry) => isAbout(entry, subject));
  });
}
