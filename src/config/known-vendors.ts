/**
 * Vendor files that were read before, found by their content, so that hundreds of them are not parsed and checked again
 * at each start and reload. What is remembered comes from the last reading in this process, and before that from the file
 * that the build leaves beside the program. A file of which a byte has changed is simply not found.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stampOf } from './stamp.ts';
import { statOf } from './stat-of.ts';
import type { VendorFile } from './vendor-schema.ts';

/** A vendor file's text as it was found. */
export interface VendorText {
  readonly file: string;
  readonly text: string;
  /** Of the text. */
  readonly digest: string;
}

/** A text and what it says. */
export interface ReadVendor extends VendorText {
  readonly vendor: VendorFile;
}

/** What the system says of a file; where all of it is the same, so is the content. */
interface Stamped {
  readonly stamp: string;
  readonly found: VendorText;
}

let stamped: ReadonlyMap<string, Stamped> = new Map();

/** Whether a file is as it was when its text was taken last. */
export function isUnchanged(file: string, stat: BigIntStats): boolean {
  return stamped.get(file)?.stamp === stampOf(stat);
}

/** A file may change twice within one tick of the clock that stamps it, so a young one is read again. Milliseconds. */
const YOUNG = 2_000;

/**
 * The texts of files, those read from disk that are not known to be as they were.
 *
 * @param read reads one file; what it throws is its own matter.
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
  /** Digests of whole sets between whose files nothing is wrong. */
  readonly sound: ReadonlySet<string>;
}

const nothing: Known = { vendors: new Map(), sound: new Set() };

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

export function vendorText(file: string, text: string): VendorText {
  return { file, text, digest: sha256(text) };
}

/** Of the program's own code that makes values of texts: what other code made is worth nothing. */
function codeDigest(): string {
  const beside = readdirSync(new URL('.', import.meta.url)).filter((name) => /\.[jt]s$/.test(name));
  const files = [...beside.toSorted(), '../listen/target.js'].map((name) => new URL(name, import.meta.url));
  const hash = createHash('sha256');
  for (const file of files.filter((file) => existsSync(file))) hash.update(readFileSync(file)).update('\0');
  return hash.digest('base64url');
}

/**
 * The text of the file that the build leaves behind: a line of digests, then the values.
 *
 * @param vendors each with its text; nothing may be wrong between them.
 */
export function compiledText(vendors: readonly ReadVendor[]): string {
  const values = JSON.stringify(vendors.map(({ digest, vendor }) => [digest, vendor]));
  return `${JSON.stringify([codeDigest(), setDigest(vendors), sha256(values)])}\n${values}`;
}

/** Where the build leaves it. */
export const compiledFile = fileURLToPath(new URL('../catalogue.json', import.meta.url));

/** What is in the build's file; nothing where it is missing, cut short, changed, or from another build. */
export function readCompiled(file: string): Known {
  try {
    const text = readFileSync(file, 'utf8');
    const end = text.indexOf('\n');
    const [code, whole, digest] = JSON.parse(text.slice(0, end)) as (string | undefined)[];
    const values = text.slice(end + 1);
    if (whole === undefined || digest !== sha256(values) || code !== codeDigest()) return nothing;
    return { vendors: new Map(JSON.parse(values) as [string, VendorFile][]), sound: new Set([whole]) };
  } catch {
    // A start that is slower, and never one that fails: everything can be had from the files themselves.
    return nothing;
  }
}

let known: Known | null = null;

function recalled(): Known {
  return (known ??= readCompiled(compiledFile));
}

/** Of the names and contents of a whole set. */
function setDigest(files: readonly VendorText[]): string {
  return sha256(files.map(({ file, digest }) => `${basename(file)} ${digest}\n`).join(''));
}

/** What a file with this text says, where it was read before. */
export function recall({ digest }: VendorText): VendorFile | undefined {
  return recalled().vendors.get(digest);
}

/** Remembers what was read, in the place of what was remembered. */
export function remember(vendors: readonly ReadVendor[]): void {
  const { sound } = recalled();
  known = { vendors: new Map(vendors.map(({ digest, vendor }) => [digest, vendor])), sound };
}

/** Remembers more, beside what is remembered until the next set is. */
export function rememberToo(vendors: readonly ReadVendor[]): void {
  const { vendors: before, sound } = recalled();
  known = { vendors: new Map([...before, ...vendors.map(({ digest, vendor }) => [digest, vendor] as const)]), sound };
}

/** Whether a set was found to have nothing wrong between its files. */
export function isSound(files: readonly VendorText[]): boolean {
  return recalled().sound.has(setDigest(files));
}

/** Remembers that nothing is wrong between these files. */
export function markSound(files: readonly VendorText[]): void {
  known = { ...recalled(), sound: new Set([setDigest(files)]) };
}
