/** `sallyport catalog`: shows the AI vendors, and checks and signs their files. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { makeBundle } from '../config/bundle.ts';
import { changeLines, diffCatalogues } from '../config/catalogue-diff.ts';
import { cataloguePage } from '../config/catalogue-page.ts';
import { lintVendors, notesOn } from '../config/catalogue-lint.ts';
import { counted } from '../config/counted.ts';
import { settingsOf } from '../config/load.ts';
import { didYouMean } from '../config/nearest.ts';
import { InvalidConfig, invalidConfig } from '../config/problem.ts';
import { id } from '../config/scalars.ts';
import { vendorJsonSchema } from '../config/vendor-json-schema.ts';
import { parts } from '../config/vendor-schema.ts';
import type { ProductFile, VendorFile } from '../config/vendor-schema.ts';
import { readCatalogue, readVendors } from '../config/vendors.ts';
import type { Catalogue, CatalogueSettings } from '../config/vendors.ts';
import { importVendor } from './catalog-import.ts';
import { configFile, configOption, parse, UsageError } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

const options = {
  ...configOption,
  json: { type: 'boolean' },
  key: { type: 'string' },
  out: { type: 'string' },
  vendor: { type: 'string' },
  name: { type: 'string' },
  kind: { type: 'string' },
  source: { type: 'string' },
  service: { type: 'string' },
} as const;

type Values = ReturnType<typeof parse<{ args: string[]; options: typeof options; allowPositionals: true }>>['values'];

interface Call {
  readonly values: Values;
  readonly names: readonly string[];
  readonly io: Io;
  readonly settings: () => CatalogueSettings;
}

function hostCount({ hosts }: ProductFile): number {
  return hosts.reduce(
    (sum, { suffix = [], exact = [], template = [] }) => sum + suffix.length + exact.length + template.length,
    0,
  );
}

function print(io: Io, json: boolean | undefined, facts: unknown, lines: readonly string[]): void {
  if (json === true) io.out(JSON.stringify(facts, null, 2));
  else lines.forEach((line) => io.out(line));
}

function list({ values, io, settings }: Call): ExitCode {
  const { vendors, version, checked, overlaid } = readCatalogue(settings());
  const rows = vendors.map(({ id, name, owner, country, tags, products }) => ({
    id,
    name,
    owner: owner ?? null,
    country: country ?? null,
    tags,
    products: products.map((product) => ({
      id: product.id,
      name: product.name,
      kind: product.kind,
      channel: product.channel,
      hosts: hostCount(product),
    })),
  }));
  const lines = rows.map(({ id, country, products }) => {
    const shown = products.map((product) => `${product.id} (${product.kind}, ${product.hosts})`);
    return `${id.padEnd(24)} ${country ?? '--'}  ${shown.join(', ')}`;
  });
  const summary = `${counted(vendors.length, 'vendor')}, version ${version}, last checked ${checked ?? 'never'}, ${overlaid} overlaid`;
  print(io, values.json, { version, checked, overlaid, vendors: rows }, [...lines, summary]);
  return 0;
}

function productLines(product: ProductFile): string[] {
  const { id, kind, channel, wire, hosts, note, carries, model_calls: calls } = product;
  const carried = carries.flatMap(({ vendors }) => vendors);
  return [
    `  ${id}: ${product.name} (${kind}, ${channel}, wire ${wire})`,
    ...(note === undefined ? [] : [`    ${note}`]),
    ...(calls === undefined ? [] : [`    its model calls go to hosts of: ${calls.join(', ')}`]),
    ...(carried.length === 0 ? [] : [`    carries, beyond the reach of a denial: ${carried.join(', ')}`]),
    ...hosts.flatMap(({ suffix = [], exact = [], template = [], role, source, confidence }) =>
      [...suffix.map((host) => `*.${host}`), ...exact, ...template.map(({ text }) => text)].map(
        (host) => `    ${host.padEnd(48)} ${role.padEnd(13)} ${confidence} (${source})`,
      ),
    ),
  ];
}

function vendorLines(vendor: VendorFile): string[] {
  const { id, name, owner, country, tags, risks, products, shared } = vendor;
  return [
    `${id}: ${name}, ${owner ?? 'owner unknown'}, ${country ?? 'country unknown'}${tags.length > 0 ? `; ${tags.join(', ')}` : ''}`,
    ...risks.map((risk) => `  risk: ${risk}`),
    ...products.flatMap(productLines),
    ...(shared.length === 0 ? [] : ['  never denied as a whole:']),
    ...shared.map(({ host, suffix, template, why, paths }) => {
      const shown = host ?? (suffix === undefined ? (template?.text ?? '') : `*.${suffix}`);
      return `    ${shown.padEnd(48)} ${why}${paths === undefined ? '' : ` The AI part: ${paths.join(', ')}`}`;
    }),
  ];
}

function show({ values, names, io, settings }: Call): ExitCode {
  const [id] = names;
  if (id === undefined) throw new UsageError('catalog show: name a vendor; "sallyport catalog list" lists them');
  const { vendors } = readCatalogue(settings());
  const own = vendors.filter((one) => one.id === id);
  const [vendor, ...others] = own.length > 0 ? own : vendors.filter(({ aliases }) => aliases.includes(id));
  if (vendor !== undefined && others.length > 0) {
    const ids = [vendor, ...others].map((one) => one.id).join(', ');
    throw new UsageError(`catalog show: several vendors are called "${id}": ${ids}; name one of them`);
  }
  if (vendor === undefined) {
    const known = vendors.map((one) => one.id);
    throw new UsageError(`catalog show: unknown vendor "${id}"; ${didYouMean(id, known)}`);
  }
  print(io, values.json, vendor, vendorLines(vendor));
  return 0;
}

function lint({ values, io, settings }: Call): ExitCode {
  const from = settings();
  let catalogue: Catalogue;
  try {
    catalogue = readCatalogue(from);
    const problems = lintVendors(readVendors(from.vendors, from.key));
    if (problems.length > 0) throw invalidConfig(problems);
  } catch (error) {
    if (!(error instanceof InvalidConfig)) throw error;
    if (values.json === true) io.out(JSON.stringify({ ok: false, errors: error.issues, notes: [] }, null, 2));
    else error.issues.forEach((issue) => io.err(issue));
    return 1;
  }
  const { vendors, version } = catalogue;
  const notes = notesOn(vendors, Date.now());
  const summary = `${counted(vendors.length, 'vendor')}, version ${version}: no errors`;
  print(io, values.json, { ok: true, version, errors: [], notes }, [...notes.map((note) => `note: ${note}`), summary]);
  return 0;
}

function diff({ values, names, io }: Call): ExitCode {
  const [before, after] = names;
  if (before === undefined || after === undefined) throw new UsageError('catalog diff: name two folders or bundles');
  const key = values.key === undefined ? null : resolve(io.cwd, values.key);
  const read = (path: string): VendorFile[] => readVendors(resolve(io.cwd, path), key).map(({ vendor }) => vendor);
  const changes = diffCatalogues(read(before), read(after));
  const lines = changeLines(changes);
  print(io, values.json, changes, lines.length === 0 ? ['no difference'] : lines);
  return lines.length === 0 ? 0 : 1;
}

function bundle({ values, io, settings }: Call): ExitCode {
  const { key, out } = values;
  if (key === undefined) throw new UsageError('catalog bundle: name the private key, as in --key catalogue.key');
  const from = settings();
  // Validated as a whole first, so that nothing is signed that a proxy would reject.
  const { version } = readCatalogue({ ...from, overlay: null });
  const files = readVendors(from.vendors, from.key).map(
    ({ source, vendor }) => [`${vendor.id}.yaml`, source.text] as const,
  );
  const created = new Date().toISOString();
  const text = makeBundle({ created, files }, resolve(io.cwd, key));
  if (out === undefined) {
    io.out(text.trimEnd());
    return 0;
  }
  writeFileSync(resolve(io.cwd, out), text);
  print(io, values.json, { file: out, created, version, files: files.length }, [
    `${out}: ${counted(files.length, 'vendor')}, version ${version}`,
  ]);
  return 0;
}

function importFile({ values, names, io, settings }: Call): ExitCode {
  const [file] = names;
  const { vendor, name = vendor, kind = 'api', source = file, service = null } = values;
  if (file === undefined || vendor === undefined || name === undefined || source === undefined) {
    throw new UsageError('catalog import: name a file and the vendor, as in import list.txt --vendor acme');
  }
  const { error: fault } = id.safeParse(vendor);
  if (fault !== undefined) {
    const why = fault.issues[0]?.message ?? 'it is no id';
    throw new UsageError(`catalog import: --vendor "${vendor}": ${why}; --name has what people read`);
  }
  const kinds: readonly string[] = parts.kind.options;
  if (!kinds.includes(kind))
    throw new UsageError(`catalog import: unknown --kind "${kind}"; ${didYouMean(kind, kinds)}`);
  let text: string;
  try {
    text = readFileSync(resolve(io.cwd, file), 'utf8');
  } catch {
    throw new UsageError(`catalog import: "${file}" cannot be read; correct the path`);
  }
  const known = readCatalogue(settings()).vendors;
  const day = new Date().toISOString().slice(0, 10);
  const { yaml, hosts, left } = importVendor({ text, service, vendor, name, kind, source, day, known });
  if (values.json === true) io.out(JSON.stringify({ vendor, hosts, left, yaml }, null, 2));
  else {
    left.forEach(({ line, text: written, why }) =>
      io.err(`${file}:${line}: left out ${JSON.stringify(written)}: ${why}`),
    );
    if (hosts.length > 0) io.out(yaml.trimEnd());
  }
  return hosts.length > 0 ? 0 : 1;
}

function schema({ io }: Call): ExitCode {
  io.out(JSON.stringify(vendorJsonSchema(), null, 2));
  return 0;
}

function page({ io, settings }: Call): ExitCode {
  io.out(cataloguePage(readCatalogue(settings()).vendors).trimEnd());
  return 0;
}

const actions: Readonly<Record<string, (call: Call) => ExitCode>> = {
  list,
  show,
  lint,
  diff,
  bundle,
  import: importFile,
  schema,
  page,
};

function run(args: readonly string[], io: Io): ExitCode {
  const { values, positionals } = parse({ args: [...args], options, allowPositionals: true });
  const [action = '', ...names] = positionals;
  const known = Object.keys(actions);
  const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (act === undefined) {
    throw new UsageError(
      action === ''
        ? `catalog: name an action: ${known.join(', ')}`
        : `catalog: unknown action "${action}"; ${didYouMean(action, known)}`,
    );
  }
  const most = { show: 1, diff: 2, import: 1 }[action] ?? 0;
  if (names.length > most) throw new UsageError(`catalog ${action}: unexpected argument "${names[most] ?? ''}"`);
  return act({ values, names, io, settings: () => settingsOf(configFile(values.config, io)).catalogueFrom });
}

export const catalog: Verb = {
  summary: 'Lists, shows, checks, compares, signs and imports the catalogue of AI vendors',
  usage:
    'catalog list|show VENDOR|lint|diff OLD NEW [--key FILE]|import FILE --vendor ID [--kind KIND]|bundle --key FILE [--out FILE]|schema|page [--json] [-c FILE]',
  run: (args, io) => Promise.resolve().then(() => run(args, io)),
};
