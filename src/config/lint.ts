/** Warns of what is allowed in a configuration but probably a mistake. Errors are found while loading. */
import { basename } from 'node:path';
import type { Exception, PolicyDocument, Rule } from '../flow.ts';
import { lintCalls } from './calls-lint.ts';
import { lintContradictions } from './contradiction-lint.ts';
import { shadowed } from './coverage.ts';
import { lintDomains } from './domain-lint.ts';
import { endOf, isPause, toException } from './exception-line.ts';
import { lintPeople } from './people-lint.ts';
import { inOrder, InvalidConfig } from './problem.ts';
import type { Finding, Path, Position, Problem } from './problem.ts';
import { isHostless } from './reach.ts';
import type { Config } from './schema.ts';
import { lintSettings } from './settings-lint.ts';
import { strayStored } from './stored-exceptions.ts';
import { lintWideExceptions, lintWideRules } from './wide-lint.ts';
import { readYaml } from './yaml.ts';
import type { YamlFile } from './yaml.ts';

/** A warning before its position in the file is determined. */
export interface Warning extends Finding {
  readonly file: string;
  /** The position, if it is known already. */
  readonly position?: Position;
}

function date(at: number): string {
  return new Date(at).toISOString().replace(':00.000Z', 'Z');
}

/** A text that is equal for equal subjects, whatever the order of their lists. */
function subject(entry: Rule | Exception): string {
  const sorted = (list: readonly string[] | undefined): readonly string[] | null => list?.toSorted() ?? null;
  const { vendors, products, channels, tags, risks, domains, lists } = entry.what;
  const words = [vendors, products, channels, tags, risks, domains, lists, entry.groups, entry.sites];
  return JSON.stringify(words.map(sorted));
}

function ended(policy: PolicyDocument, now: number): Finding[] {
  const exceptions = policy.exceptions.flatMap(({ id, until }, i) => {
    if (until > now) return [];
    const message = `the exception "${id}" expired at ${date(until)}; renew or remove it`;
    return [{ path: ['exceptions', i, 'until'], message }];
  });
  const rules = policy.rules.flatMap((rule, i) => {
    const { id, until } = rule;
    if (until === undefined || until > now) return [];
    // A rule that another one succeeds is no mistake: counted until a date, denied from then on.
    const next = policy.rules.some((other) => other.from === until && subject(other) === subject(rule));
    const message = `the rule "${id}" ended at ${date(until)}; renew or remove it`;
    return next ? [] : [{ path: ['rules', i, 'until'], message }];
  });
  return [...exceptions, ...rules];
}

function sameNetworks({ sites = {} }: PolicyDocument): Finding[] {
  const owners = new Map<string, string>();
  return Object.entries(sites).flatMap(([id, { networks }]) =>
    networks.flatMap((network, i) => {
      const owner = owners.get(network) ?? id;
      owners.set(network, owner);
      if (owner === id) return [];
      const message = `the site "${id}" has the network ${network}, which is that of the site "${owner}": its clients are at both; correct one of the two`;
      return [{ path: ['sites', id, 'networks', i], message }];
    }),
  );
}

/** The file of a vendor; or the settings that name the catalogue, if the vendor has no file of its own. */
function vendorPlace({ files, file }: Config, id: string, path: Path): Pick<Warning, 'file' | 'path'> {
  const own = files.find((one) => basename(one) === `${id}.yaml`);
  return own === undefined ? { file, path: ['vendors'] } : { file: own, path };
}

function hostless(config: Config): Warning[] {
  return config.vendors.flatMap(({ id, products }) => {
    if (products.length === 0) {
      const message = `the vendor "${id}" has no products, so it matches no host; add some`;
      return [{ ...vendorPlace(config, id, ['products']), message }];
    }
    return products.flatMap((product, i) => {
      const message = `the product "${id}/${product.id}" has no hosts, so it matches nothing; add some`;
      return isHostless(product) ? [{ ...vendorPlace(config, id, ['products', i]), message }] : [];
    });
  });
}

/** Mistakes in the file of exceptions. Entries that have ended are ignored. */
function lintStored({ policyOfFile, vendors, stored, exceptionsFile: file }: Config, now: number): Warning[] {
  const open = [...stored.contents.lines].filter(([, line]) => endOf(line) > now);
  const exceptions = open.flatMap(([index, line]) => (isPause(line) ? [] : [{ index, entry: toException(line) }]));
  const policy = { ...policyOfFile, rules: [], exceptions: exceptions.map(({ entry }) => entry) };
  const at = (index: number, message: string): Warning => {
    return { file, path: [], position: { line: index + 1, column: 1 }, message };
  };
  return [
    ...open.flatMap(([index, line]) => strayStored(policyOfFile, vendors, [line]).map((message) => at(index, message))),
    ...[...lintWideExceptions({ policy, vendors }, now), ...lintDomains(policy, vendors)].map(({ path, message }) =>
      at(exceptions[Number(path[1])]?.index ?? 0, message),
    ),
  ];
}

/** Everything that looks like a mistake at the instant `now`, epoch milliseconds. */
export function lint(given: Config, now: number): Warning[] {
  const config = { ...given, policy: given.policyOfFile };
  const { policy, vendors, policyFile } = config;
  const findings = [
    ...ended(policy, now),
    ...shadowed(policy.rules),
    ...sameNetworks(policy),
    ...lintContradictions(policy, vendors),
    ...lintWideRules(config),
    ...lintWideExceptions(config, now),
    ...lintCalls(policy, vendors),
    ...lintDomains(policy, vendors),
  ];
  return [
    ...lintStored(config, now),
    ...lintPeople(given, now),
    ...lintSettings(config),
    ...findings.map((finding) => ({ ...finding, file: policyFile })),
    ...hostless(config),
  ];
}

/** Determines the positions of warnings, for which the files are read once more. */
export function placedWarnings(warnings: readonly Warning[]): Problem[] {
  const files = new Map<string, YamlFile | null>();
  const read = (file: string): YamlFile | null => {
    try {
      return readYaml(file);
    } catch (error) {
      // A part of a bundle is no file, and other files may have changed since.
      if (!(error instanceof InvalidConfig)) throw error;
      return null;
    }
  };
  const place = ({ file, path, position, onKey = false }: Warning): Position | null => {
    if (position !== undefined) return position;
    const source = files.get(file) ?? read(file);
    files.set(file, source);
    return source?.at(path, onKey) ?? null;
  };
  return inOrder(
    warnings.map((warning) => ({ file: warning.file, position: place(warning), message: warning.message })),
  );
}
