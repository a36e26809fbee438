/** `sallyport check`: is the configuration good, and does anything in it look like a slip? */
import { lint } from '../config/lint.ts';
import type { Warning } from '../config/lint.ts';
import { loadConfig } from '../config/load.ts';
import { InvalidConfig, shownPath } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { listsOnDisk } from './domain-sets.ts';
import { configFile, configOption, parse } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

function counts({ policy, vendors }: Config): Record<string, number> {
  const products = vendors.flatMap((vendor) => vendor.products);
  return {
    rules: policy.rules.length,
    exceptions: policy.exceptions.length,
    groups: Object.keys(policy.groups).length,
    assistants: policy.assistants.length,
    vendors: vendors.length,
    products: products.length,
    hosts: products.flatMap((product) => product.hosts).length,
  };
}

function report(config: Config, warnings: readonly Warning[], json: boolean, io: Io): void {
  if (json) {
    const shown = warnings.map(({ file, message }) => ({ file: shownPath(file), message }));
    const { file, policyFile, policyHash } = config;
    const facts = { ok: true, file, policy: policyFile, hash: policyHash, ...counts(config), warnings: shown };
    io.out(JSON.stringify(facts, null, 2));
    return;
  }
  const parts = Object.entries(counts(config)).map(([name, count]) =>
    count === 1 ? `1 ${name.replace(/s$/, '')}` : `${count} ${name}`,
  );
  io.out(`${shownPath(config.policyFile)}: ok, ${parts.join(', ')}, hash ${config.policyHash}`);
  for (const { file, message } of warnings) io.err(`${shownPath(file)}: warning: ${message}`);
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values } = parse({
    args: [...args],
    options: { ...configOption, json: { type: 'boolean' }, strict: { type: 'boolean' } },
  });
  const json = values.json ?? false;
  try {
    const config = loadConfig(configFile(values.config, io));
    const lists = await listsOnDisk(config.policy);
    const warnings = [
      ...lint(config, Date.now()),
      ...lists.warnings.map((message) => ({ file: config.policyFile, message })),
    ];
    report(config, warnings, json, io);
    return warnings.length > 0 && values.strict === true ? 1 : 0;
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    if (json) io.out(JSON.stringify({ ok: false, errors: error.issues }, null, 2));
    else error.issues.forEach((issue) => io.err(issue));
    return 2;
  }
}

export const check: Verb = {
  summary: 'Says whether the configuration is good, and warns of what is hardly meant',
  usage: 'check [-c FILE] [--strict] [--json]',
  run,
};
