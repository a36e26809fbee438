/**
 * Converts other projects' lists: v2fly domain lists, AdGuard services, Clash and Surge rules, hosts files, and plain
 * lists of names, in which `=` marks an exact name as in lists of a policy. Only names of hosts are converted; keywords
 * and expressions are reported and left out.
 */
import { SallyportError } from '../errors.ts';
import { parseHost } from '../listen/target.ts';

export interface Listed {
  readonly match: 'suffix' | 'exact';
  readonly host: string;
  /** From 1. */
  readonly line: number;
}

export interface LeftOut {
  readonly line: number;
  readonly text: string;
  readonly why: string;
}

export interface ImportedList {
  readonly hosts: readonly Listed[];
  readonly left: readonly LeftOut[];
}

type Read = { readonly match: 'suffix' | 'exact'; readonly name: string } | { readonly why: string };

const keyword = { why: 'a keyword does not identify a vendor; it is for reports only' };
const expression = { why: 'a regular expression; write a template where no name will do' };

/** The known forms, each with its reader. */
const forms: readonly (readonly [RegExp, (name: string) => Read])[] = [
  [/^include:(.+)$/, () => ({ why: 'names another list; import that one too' })],
  [/^(?:keyword:|DOMAIN-KEYWORD,)(.+)$/i, () => keyword],
  [/^(?:regexp:|DOMAIN-REGEX,|\/)(.+)$/i, () => expression],
  [/^(?:IP-CIDR6?|IP-ASN|GEOIP),(.+)$/i, () => ({ why: 'addresses; add them as "addresses" by hand' })],
  [/^@@(.+)$/, () => ({ why: 'an exception of the list' })],
  [/^=([^\s,|/^*]+)$/, (name) => ({ match: 'exact', name })],
  [/^(?:full:|DOMAIN,)([^,]+)/i, (name) => ({ match: 'exact', name })],
  [/^(?:domain:|DOMAIN-SUFFIX,)([^,]+)/i, (name) => ({ match: 'suffix', name })],
  [/^\|\|([^/^|$]+)\^?(?:\$.*)?$/, (name) => ({ match: 'suffix', name })],
  [/^(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+(\S+)$/, (name) => ({ match: 'exact', name })],
  [/^(?:\*\.|\+\.|\.)(.+)$/, (name) => ({ match: 'suffix', name })],
  [/^([^\s,|/^*]+)$/, (name) => ({ match: 'suffix', name })],
];

function readLine(text: string): Read {
  for (const [form, read] of forms) {
    const name = form.exec(text)?.[1];
    if (name !== undefined) return read(name.trim());
  }
  return { why: 'not a known way to write a host' };
}

function toHost(name: string): { readonly host: string } | { readonly why: string } {
  try {
    const { host, kind } = parseHost(name);
    return kind === 'name' ? { host } : { why: 'an address; add it as "addresses" by hand' };
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    return { why: error.message };
  }
}

/** The rules of an AdGuard services file, one per line; null if it is no such file. */
function adguardRules(text: string, service: string | null): string[] | null {
  if (!text.trimStart().startsWith('{')) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { blocked_services: services } = value as { readonly blocked_services?: unknown };
  if (!Array.isArray(services)) return null;
  return services.flatMap((entry: unknown) => {
    const { id, rules } = entry as { readonly id?: unknown; readonly rules?: unknown };
    return Array.isArray(rules) && (service === null || id === service) ? rules.map(String) : [];
  });
}

/** @param service the one to take from an AdGuard services file; null: all. */
export function importList(text: string, service: string | null): ImportedList {
  const lines = adguardRules(text, service) ?? text.split(/\r?\n/);
  const hosts = new Map<string, Listed>();
  const left: LeftOut[] = [];
  for (const [i, raw] of lines.entries()) {
    const line = i + 1;
    const content = raw
      .replace(/(?:^|\s)[#!].*$/, '')
      .replace(/\s[@&]\S+/g, '')
      .trim()
      .replace(/^- +/, '');
    if (content === '' || content === 'payload:') continue;
    const read = readLine(content);
    const named = 'why' in read ? read : toHost(read.name);
    if ('why' in read || 'why' in named) left.push({ line, text: content, why: 'why' in named ? named.why : '' });
    else if (!hosts.has(named.host)) hosts.set(named.host, { match: read.match, host: named.host, line });
  }
  return { hosts: [...hosts.values()], left };
}
