/** Checks of `sallyport catalog lint` in addition to those of loading: errors for pull requests, and notes. */
import { hostEntries } from './catalogue.ts';
import type { VendorSource } from './catalogue.ts';
import { counted } from './counted.ts';
import type { Finding, Problem } from './problem.ts';
import { publicSuffix } from './public-suffix.ts';
import type { VendorFile } from './vendor-schema.ts';

/** Entries that were last checked longer ago are noted. */
const STALE_DAYS = 365;

const DAY = 86_400_000;

function problem(source: VendorSource['source'], { path, message }: Finding): Problem {
  return { file: source.file, position: source.at(path, false), message };
}

/** A vendor may own a public suffix with its users' pages below, if the entry says so. */
function publicSuffixes({ source, vendor }: VendorSource): Problem[] {
  return hostEntries(vendor).flatMap(({ host, match, owned, finding }) => {
    const kind = match === 'template' ? null : publicSuffix(host);
    if (kind === null || (kind === 'company' && owned)) return [];
    const cure = kind === 'company' ? ', or write "own_suffix: true" where the vendor owns it' : '';
    return [
      problem(source, finding(`"${host}" is a public suffix, under which anyone can register; name the hosts${cure}`)),
    ];
  });
}

/** `verified` requires the date of the check. */
function undated({ source, vendor }: VendorSource): Problem[] {
  return vendor.products.flatMap(({ hosts }, p) =>
    hosts.flatMap(({ confidence, checked }, h) => {
      if (confidence === 'own-knowledge' || checked !== undefined) return [];
      const message = `the entry is "${confidence}" but has no date; add "checked", or write "own-knowledge"`;
      return [problem(source, { path: ['products', p, 'hosts', h], message })];
    }),
  );
}

/** Everything for which a pull request is rejected. */
export function lintVendors(vendors: readonly VendorSource[]): Problem[] {
  return vendors.flatMap((vendor) => [...publicSuffixes(vendor), ...undated(vendor)]);
}

interface Owned {
  readonly vendor: string;
  readonly host: string;
}

/** A host within another vendor's suffix: the longest match wins, which may not be intended. */
function inside(vendors: readonly VendorFile[]): string[] {
  const entries = vendors.flatMap((vendor) => hostEntries(vendor).map((entry) => ({ ...entry, vendor: vendor.id })));
  const suffixes = new Map(entries.filter(({ match }) => match === 'suffix').map(({ host, vendor }) => [host, vendor]));
  return entries.flatMap(({ host, vendor, match }) => {
    if (match === 'template') return [];
    const labels = host.split('.');
    const above = labels
      .map((_, i): Owned => ({ host: labels.slice(i + 1).join('.'), vendor }))
      .find((one) => suffixes.has(one.host));
    const owner = above === undefined ? undefined : suffixes.get(above.host);
    if (above === undefined || owner === undefined || owner === vendor) return [];
    return [`${vendor}: ${host} lies inside ${above.host} of ${owner}; the longer one wins`];
  });
}

function unlooked(vendors: readonly VendorFile[]): string[] {
  const own = vendors.flatMap(({ products }) =>
    products.flatMap(({ hosts }) => hosts.filter(({ confidence }) => confidence === 'own-knowledge')),
  );
  return own.length === 0
    ? []
    : [`${counted(own.length, 'host entry is', 'host entries are')} own knowledge that nobody has checked`];
}

function stale(vendors: readonly VendorFile[], now: number): string[] {
  return vendors.flatMap(({ id, products }) => {
    const days = products.flatMap(({ hosts }) => hosts.flatMap(({ checked }) => checked ?? []));
    const oldest = days.toSorted()[0];
    if (oldest === undefined || now - Date.parse(oldest) < STALE_DAYS * DAY) return [];
    return [`${id}: lines were last checked on ${oldest}`];
  });
}

/** What is allowed but worth checking. @param now epoch milliseconds */
export function notesOn(vendors: readonly VendorFile[], now: number): string[] {
  return [...inside(vendors), ...stale(vendors, now), ...unlooked(vendors)];
}
