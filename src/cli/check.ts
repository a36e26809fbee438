/** `sallyport check`: whether the configuration is valid, and whether anything in it looks like a mistake. */
import { endOf, isPause } from '../config/exception-line.ts';
import { lint, placedWarnings } from '../config/lint.ts';
import type { Warning } from '../config/lint.ts';
import { InvalidConfig, invalidConfig, shownPath, shownPlace, shownProblem } from '../config/problem.ts';
import type { Finding, Problem } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { listsOnDisk, type ListsOnDisk } from './domain-sets.ts';
import { chosenConfig, chosenOptions } from './chosen-config.ts';
import { deniedAssistants } from './denied-assistants.ts';
import { neverInForce } from './never-in-force.ts';
import { examine, isReadable, startFiles } from './start-files.ts';
import { parse } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

function counts({ policy, policyOfFile, vendors, stored }: Config, now: number): Record<string, number> {
  const products = vendors.flatMap((vendor) => vendor.products);
  // Entries that have ended are ignored.
  const lines = [...stored.contents.lines.values()].filter((line) => endOf(line) > now);
  const pauses = lines.filter(isPause).length;
  return {
    rules: policy.rules.length,
    exceptions: policyOfFile.exceptions.length + lines.length - pauses,
    ...(pauses > 0 && { pauses }),
    groups: Object.keys(policy.groups).length,
    assistants: policy.assistants.length,
    vendors: vendors.length,
    products: products.length,
    hosts: products.flatMap((product) => product.hosts).length,
  };
}

function number(count: number, name: string): string {
  return count === 1 ? `1 ${name.replace(/s$/, '')}` : `${count} ${name}`;
}

interface Checked {
  readonly config: Config;
  readonly lists: ListsOnDisk;
  readonly warnings: readonly Problem[];
  /** Epoch milliseconds. */
  readonly now: number;
}

function asJson({ config, lists, warnings, now }: Checked): object {
  const { file, policyFile, policyHash, policy } = config;
  return {
    ok: true,
    file,
    policy: policyFile,
    hash: policyHash,
    ...counts(config, now),
    lists: (policy.lists ?? []).map(({ id, file: at }) => {
      const { domains = null, badLines = null } = lists.found.find(({ list }) => list.id === id) ?? {};
      return { id, file: shownPath(at), domains, badLines };
    }),
    warnings: warnings.map(shownProblem),
  };
}

function report(checked: Checked, io: Io): void {
  const { config, lists, warnings, now } = checked;
  const named = config.policy.lists ?? [];
  const listed = lists.found.reduce((sum, { domains }) => sum + domains, 0);
  const parts = [
    ...Object.entries(counts(config, now)).map(([name, count]) => number(count, name)),
    ...(named.length === 0 ? [] : [number(named.length, 'lists')]),
    ...(listed === 0 ? [] : [number(listed, 'listed domains')]),
  ];
  io.out(`${shownPath(config.policyFile)}: ok, ${parts.join(', ')}, hash ${config.policyHash}`);
  for (const warning of warnings) io.err(`${shownPlace(warning)}: warning: ${warning.message}`);
}

function listWarnings({ policyFile: file }: Config, warnings: ListsOnDisk['warnings']): Warning[] {
  return warnings.map(({ id, message }) => ({ file, path: ['lists', id], onKey: true, message }));
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values } = parse({
    args: [...args],
    options: { ...chosenOptions, json: { type: 'boolean' }, strict: { type: 'boolean' } },
  });
  const json = values.json ?? false;
  try {
    const now = Date.now();
    const config = chosenConfig(values, io);
    const lists = await listsOnDisk(config.policy);
    // A configuration may be checked where the proxy's secrets do not exist or are not readable.
    const here = startFiles(config, now).filter(({ files }) => files.every(isReadable));
    const { faults, warnings: doubts } = await examine(here);
    const inSettings = (finding: Finding): Warning => ({ ...finding, file: config.file });
    const fatal = lists.warnings.filter((warning) => warning.fatal);
    const unusable = [...listWarnings(config, fatal), ...faults.map(inSettings)];
    if (unusable.length > 0) throw invalidConfig(placedWarnings(unusable));
    const warnings = placedWarnings([
      ...doubts.map(inSettings),
      ...lint(config, now),
      ...neverInForce(config, now),
      ...deniedAssistants(config, lists.sets, now),
      ...listWarnings(config, lists.warnings),
    ]);
    const checked = { config, lists, warnings, now };
    if (json) io.out(JSON.stringify(asJson(checked), null, 2));
    else report(checked, io);
    return warnings.length > 0 && values.strict === true ? 1 : 0;
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    if (json)
      io.out(JSON.stringify({ ok: false, errors: error.issues, problems: error.problems.map(shownProblem) }, null, 2));
    else error.issues.forEach((issue) => io.err(issue));
    return 2;
  }
}

export const check: Verb = {
  summary: 'Checks the configuration, and warns of likely mistakes',
  usage: 'check [-c FILE] [--policy FILE] [--strict] [--json]',
  run,
};
