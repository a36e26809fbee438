/** Warnings about a question to `explain` that is probably a mistake, or could not occur in a running proxy. */
import { didYouMean } from '../config/nearest.ts';
import { hearsOfGroups } from '../config/people-lint.ts';
import { shownPath } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import type { PolicyDocument, Target } from '../flow.ts';
import { forwardedNames } from '../listen/access.ts';
import { foldName } from '../user-name.ts';
import type { Asked } from './explanation.ts';

/** Names of groups, separated by commas, unless a directory's name for a group contains commas. */
export function readForwarded({ groups }: PolicyDocument, word: string): readonly string[] {
  const known = Object.values(groups).flatMap(({ forwarded }) => forwarded.map(foldName));
  return known.includes(foldName(word)) ? [word] : forwardedNames(word);
}

/** @throws {ConfigError} for one that is neither a group nor a site. */
export function checkGroups({ groups, sites = {} }: PolicyDocument, ids: readonly string[]): readonly string[] {
  const known = [...Object.keys(groups), ...Object.keys(sites)];
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown === undefined) return ids;
  throw new ConfigError(`unknown group or site "${unknown}"; ${didYouMean(unknown, known)}`);
}

function aboutForwarded({ policy, clients, file }: Config, forwarded: readonly string[]): string[] {
  if (forwarded.length === 0) return [];
  const known = Object.values(policy.groups).flatMap((group) => group.forwarded);
  const folded = new Set(known.map(foldName));
  const unknown = forwarded.filter((name) => !folded.has(foldName(name)));
  const said = `clients.groups_field is not in ${shownPath(file)}: a running proxy accepts group names from nobody`;
  return [
    ...unknown.map((name) => `no group of the policy has "${name}" as "forwarded"; ${didYouMean(name, known)}`),
    ...(hearsOfGroups(clients) ? [] : [`${said}; set it`]),
  ];
}

/** The name of a vendor or product is no host. */
function aboutHost({ vendors }: Config, { host }: Target): string[] {
  if (host.includes('.')) return [];
  const meant =
    vendors.find(({ id }) => id === host)?.products ??
    vendors.flatMap(({ products }) => products.filter(({ id }) => id === host));
  const example = meant.flatMap(({ hosts }) => hosts)[0]?.host;
  if (example === undefined) return [];
  return [`"${host}" is taken for a host, but it is a name in the catalogue; ask about a host, such as ${example}`];
}

/** One line each. */
export function doubts(config: Config, { target, forwarded = [] }: Asked): string[] {
  return [...aboutHost(config, target), ...aboutForwarded(config, forwarded)];
}
