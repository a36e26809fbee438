/** Makes a vendor file from somebody else's list, with the checks of the catalogue and a line about its source. */
import { hostEntries, tooWide } from '../config/catalogue.ts';
import { importList } from '../config/import-list.ts';
import type { LeftOut, Listed } from '../config/import-list.ts';
import { publicSuffix } from '../config/public-suffix.ts';
import type { VendorFile } from '../config/vendor-schema.ts';

interface ImportOptions {
  readonly text: string;
  /** The one service of an AdGuard services file; null: all. */
  readonly service: string | null;
  readonly vendor: string;
  readonly name: string;
  readonly kind: string;
  /** Where the list comes from. */
  readonly source: string;
  /** Today, such as `2026-07-10`. */
  readonly day: string;
  /** The catalogue that the vendor is added to. */
  readonly known: readonly VendorFile[];
}

export interface Imported {
  /** The vendor file. */
  readonly yaml: string;
  readonly hosts: readonly Listed[];
  readonly left: readonly LeftOut[];
}

type Guard = (listed: Listed) => string | null;

function guards(known: readonly VendorFile[], vendor: string): Guard {
  const owners = new Map<string, string>();
  for (const other of known) for (const { host } of hostEntries(other)) owners.set(host, other.id);
  const shared = new Set<string>(known.flatMap((file) => file.shared.map(({ host, suffix }) => host ?? suffix ?? '')));
  return ({ host, match }) => {
    const owner = owners.get(host);
    if (shared.has(host)) return 'carries other traffic too; it is listed as shared';
    if (owner !== undefined) return owner === vendor ? 'already listed' : `already a host of ${owner}`;
    if (publicSuffix(host) !== null) return 'a public suffix, under which anyone can register';
    return tooWide({ host, match });
  };
}

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function entry(match: Listed['match'], hosts: readonly Listed[], { source, day }: ImportOptions): string[] {
  const own = hosts.filter((host) => host.match === match);
  if (own.length === 0) return [];
  return [
    `      - ${match}:`,
    ...own.map(({ host }) => `          - ${host}`),
    '        role: app',
    `        source: ${quote(source)}`,
    '        confidence: list',
    `        checked: ${day}`,
  ];
}

export function importVendor(options: ImportOptions): Imported {
  const { text, service, vendor, name, kind, known } = options;
  const list = importList(text, service);
  const guard = guards(known, vendor);
  const judged = list.hosts.map((listed) => ({ listed, why: guard(listed) }));
  const hosts = judged.filter(({ why }) => why === null).map(({ listed }) => listed);
  const refused = judged.flatMap(({ listed: { line, host }, why }) =>
    why === null ? [] : [{ line, text: host, why }],
  );
  const yaml = [
    `id: ${vendor}`,
    `name: ${quote(name)}`,
    '',
    'products:',
    '  - id: app',
    `    name: ${quote(name)}`,
    `    kind: ${kind}`,
    '    hosts:',
    ...entry('suffix', hosts, options),
    ...entry('exact', hosts, options),
    '',
  ].join('\n');
  return { yaml, hosts, left: [...list.left, ...refused].toSorted((a, b) => a.line - b.line) };
}
