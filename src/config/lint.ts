/** Warns of what is allowed in a configuration but probably a mistake. Errors are found while loading. */
import { basename } from 'node:path';
import type { Exception, PolicyDocument, Rule } from '../flow.ts';
import { lintCalls } from './calls-lint.ts';
import { shadowed } from './coverage.ts';
import { lintDomains } from './domain-lint.ts';
import { endOf } from './exception-line.ts';
import { lintPeople } from './people-lint.ts';
import { inOrder, InvalidConfig } from './problem.ts';
import type { Finding, Path, Position, Problem } from './problem.ts';
import { isHostless, reachable } from './reach.ts';
import type { Config } from './schema.ts';
import { lintSettings } from './settings-lint.ts';
import { strayStored } from './stored-exceptions.ts';
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

function matchNothing(config: Config): Finding[] {
  const { policy, vendors } = config;
  const classes = policy.riskClasses ?? {};
  const usable = ({ what }: Rule | Exception): boolean =>
    (what.vendors ?? what.products ?? what.channels ?? what.tags ?? what.risks) === undefined ||
    vendors.some((vendor) => vendor.products.some((product) => reachable(what, classes, vendor, product)));
  const useless = (entries: readonly (Rule | Exception)[], kind: 'rule' | 'exception'): Finding[] =>
    entries.flatMap((entry, i) => {
      if (usable(entry)) return [];
      const message = `the ${kind} "${entry.id}" can match no host of the catalogue: everything that it names must hold at once; correct or remove it`;
      return [{ path: [`${kind}s`, i], message }];
    });
  return [...useless(policy.rules, 'rule'), ...useless(policy.exceptions, 'exception')];
}

/** A denial for everyone of this part of the catalogue and more is a mode of its own. */
const NEARLY_ALL = 0.9;
/** Of fewer a single rule may well deny all. */
const ENOUGH_PRODUCTS = 20;

function catchAlls({ policy, vendors }: Config): Finding[] {
  const { rules, defaults, riskClasses = {} } = policy;
  const all = vendors.flatMap((vendor) => vendor.products.map((product) => [vendor, product] as const));
  const isWide = ({ effect, what, groups, sites }: Rule): boolean => {
    if (effect !== 'deny' || (what.domains ?? what.lists ?? groups ?? sites) !== undefined) return false;
    const met = all.filter(([vendor, product]) => reachable(what, riskClasses, vendor, product)).length;
    return all.length >= ENOUGH_PRODUCTS && met >= all.length * NEARLY_ALL;
  };
  const open = rules.some(({ effect, what }) => effect === 'allow' && (what.domains ?? what.lists) !== undefined);
  const wide = rules.flatMap((rule, i) => {
    const message = `the rule "${rule.id}" denies nearly every AI service to everyone; write "mode: sanctioned-only" for that, which still lets approved services pass`;
    return isWide(rule) ? [{ path: ['rules', i], message }] : [];
  });
  if (defaults.unlisted !== 'deny' || open) return wide;
  const message =
    'defaults.unlisted denies every host that no rule names, and no rule allows any domain; allow some, or write "allow"';
  return [...wide, { path: ['defaults', 'unlisted'], message }];
}

/** The file of a vendor; the settings that name the catalogue where it has no file to itself. */
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

/** What ended is history there. */
function strays({ policyOfFile, vendors, stored, exceptionsFile: file }: Config, now: number): Warning[] {
  return [...stored.contents.lines].flatMap(([index, line]) =>
    endOf(line) <= now
      ? []
      : strayStored(policyOfFile, vendors, [line]).map((message) => ({
          file,
          path: [],
          position: { line: index + 1, column: 1 },
          message,
        })),
  );
}

/** Everything that looks like a mistake at the instant `now`, epoch milliseconds. */
export function lint(given: Config, now: number): Warning[] {
  const config = { ...given, policy: given.policyOfFile };
  const { policy, vendors, policyFile } = config;
  const findings = [
    ...ended(policy, now),
    ...shadowed(policy.rules),
    ...matchNothing(config),
    ...catchAlls(config),
    ...lintCalls(policy, vendors),
    ...lintDomains(policy, vendors),
  ];
  return [
    ...strays(config, now),
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
