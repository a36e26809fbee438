/**
 * Judges the addresses that a name resolves to, as anybody can point their own name to a denied vendor's addresses.
 * Only addresses that the catalogue or the policy names count, as others may be shared.
 */
import type { Hostname, PolicyDocument, Service } from '../flow.ts';
import type { Policy } from './compile.ts';
import { defaultFor } from './defaults.ts';
import { fieldOf, isAbout, ruleEntries } from './entry.ts';
import type { Entry } from './entry.ts';
import { subjectOf } from './subject.ts';

/** How specific an entry is; smaller is more specific, and a null entry is a default. */
function nearness(entry: Entry | null): number {
  if (entry === null) return 4;
  if (entry.kind === 'exception') return 0;
  const field = fieldOf(entry.what);
  if (field === 'domains') return 1;
  return field === 'products' || field === 'vendors' ? 2 : 4;
}

/**
 * Whether the entry that allows a name takes precedence over the denial of its address. An exception does, and so does
 * a rule that names the host, its product or its vendor, unless the denial names the address itself.
 */
export function nameStands(name: Entry | null, address: Entry | null): boolean {
  return nearness(name) < (nearness(address) === 1 ? 1 : 3);
}

/**
 * Whether the vendor that owns the address has a part in the named service. Then its other products, even if denied, do
 * not matter.
 */
export function isAtHome(named: Service | null, { vendor }: Service): boolean {
  return named !== null && (named.vendor === vendor || named.operator === vendor || named.model === vendor);
}

/** The addresses that denials name directly, in canonical form. */
export function deniedAddresses(document: PolicyDocument): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { effect, what } of ruleEntries(document)) {
    if (effect !== 'deny') continue;
    for (const text of what.domains ?? []) {
      // No name ends in a digit or contains a colon.
      if (/\d$|:/.test(text)) found.add(text.startsWith('=') ? text.slice(1) : text);
    }
  }
  return found;
}

/** No host, for questions that are only about services. */
const anywhere = '' as Hostname;

/** Whether a rule or default may deny one of these services, at some time and to some client. */
export function mayDenyAt(policy: Policy, services: readonly Service[]): boolean {
  if (services.length === 0) return false;
  const denials = ruleEntries(policy.document).filter(({ effect }) => effect === 'deny');
  return services.some((service) => {
    const subject = subjectOf(anywhere, service, policy.risksOf);
    if (defaultFor(policy, 'ipv4', service).effect === 'deny') return true;
    return denials.some((entry) => isAbout(entry, subject));
  });
}
