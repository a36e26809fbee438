/**
 * Caches parsed vendor files by content, so that hundreds of them are not parsed and validated at each start and
 * reload. The cache has the files last read by this process and, initially, those in a file made by the build. A file
 * that differs by a byte is not found.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stampOf } from './stamp.ts';
import { statOf } from './stat-of.ts';
import type { VendorFile } from './vendor-schema.ts';

/** The text of a vendor file. */
export interface VendorText {
  readonly file: string;
  readonly text: string;
  /** Of the text. */
  readonly digest: string;
}

/** A text with its parsed value. */
export interface ReadVendor extends VendorText {
  readonly vendor: VendorFile;
}

/** Metadata of a file; if it is unchanged, so is the content. */
interface Stamped {
  readonly stamp: string;
  readonly found: VendorText;
}

let stamped: ReadonlyMap<string, Stamped> = new Map();

/** Whether a file is unchanged since it was last read. */
export function isUnchanged(file: string, stat: BigIntStats): boolean {
  return stamped.get(file)?.stamp === stampOf(stat);
}

/** Milliseconds. A file may change twice within one tick of the file system's clock, so recent ones are read again. */
const YOUNG = 2_000;

/**
 * The texts of files; those known to be unchanged are not read.
 *
 * @param read reads one file, and may throw.
 */
export function unchangedOr(
  files: readonly string[],
  read: (file: string) => VendorText | null,
  now = Date.now(),
): VendorText[] {
  const next = new Map<string, Stamped>();
  const texts = files.flatMap((file) => {
    const stat = statOf(file);
    const stamp = stat === undefined ? '' : stampOf(stat);
    const before = stamped.get(file);
    const found = before?.stamp === stamp ? before.found : read(file);
    if (found === null) return [];
    if (stat !== undefined && now - Number(stat.ctimeMs) > YOUNG) next.set(file, { stamp, found });
    return [found];
  });
  stamped = next;
  return texts;
}

interface Known {
  readonly vendors: ReadonlyMap<string, VendorFile>;
  /** Digests of whole sets of files without contradictions. */
  readonly sound: ReadonlySet<string>;
}

const nothing: Known = { vendors: new Map(), sound: new Set() };

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

export function vendorText(file: string, text: string): VendorText {
  return { file, text, digest: sha256(text) };
}

/** Digest of the program's own parsing code: values made by other code are not used. */
function codeDigest(): string {
  const beside = readdirSync(new URL('.', import.meta.url)).filter((name) => /\.[jt]s$/.test(name));
  const files = [...beside.toSorted(), '../listen/target.js'].map((name) => new URL(name, import.meta.url));
  const hash = createHash('sha256');
  for (const file of files.filter((file) => existsSync(file))) hash.update(readFileSync(file)).update('\0');
  return hash.digest('base64url');
}

/**
 * The text of the build's file: a line of digests, then the values.
 *
 * @param vendors each with its text, and without contradictions.
 */
export function compiledText(vendors: readonly ReadVendor[]): string {
  const values = JSON.stringify(vendors.map(({ digest, vendor }) => [digest, vendor]));
  return `${JSON.stringify([codeDigest(), setDigest(vendors), sha256(values)])}\n${values}`;
}

/** Where the build puts it. */
export const compiledFile = fileURLToPath(new URL('../catalogue.json', import.meta.url));

/** The contents of the build's file; nothing if it is missing, truncated, changed, or from another build. */
export function readCompiled(file: string): Known {
  try {
    const text = readFileSync(file, 'utf8');
    const end = text.indexOf('\n');
    const [code, whole, digest] = JSON.parse(text.slice(0, end)) as (string | undefined)[];
    const values = text.slice(end + 1);
    if (whole === undefined || digest !== sha256(values) || code !== codeDigest()) return nothing;
    return { vendors: new Map(JSON.parse(values) as [string, VendorFile][]), sound: new Set([whole]) };
  } catch {
    // This only makes a start slower, as everything can be read from the vendor files.
    return nothing;
  }
}

let known: Known | null = null;

function recalled(): Known {
  return (known ??= readCompiled(compiledFile));
}

/** Digest of the names and contents of a whole set. */
function setDigest(files: readonly VendorText[]): string {
  return sha256(files.map(({ file, digest }) => `${basename(file)} ${digest}\n`).join(''));
}

/** The value of a text, if it is cached. */
export function recall({ digest }: VendorText): VendorFile | undefined {
  return recalled().vendors.get(digest);
}

/** Replaces the cache. */
export function remember(vendors: readonly ReadVendor[]): void {
  const { sound } = recalled();
  known = { vendors: new Map(vendors.map(({ digest, vendor }) => [digest, vendor])), sound };
}

/** Adds to the cache until it is next replaced. */
export function rememberToo(vendors: readonly ReadVendor[]): void {
  const { vendors: before, sound } = recalled();
  known = { vendors: new Map([...before, ...vendors.map(({ digest, vendor }) => [digest, vendor] as const)]), sound };
}

/** Whether a set is known to have no contradictions. */
export function isSound(files: readonly VendorText[]): boolean {
  return recalled().sound.has(setDigest(files));
}

/** Records that these files have no contradictions. */
export function markSound(files: readonly VendorText[]): void {
  known = { ...recalled(), sound: new Set([setDigest(files)]) };
}
