/** The scalar values of configuration files, and messages about invalid ones. */
import { z } from 'zod';
import { ConfigError, SallyportError } from '../errors.ts';
import { didYouMean, nearest } from './nearest.ts';
import type { Finding, Path } from './problem.ts';

/** A file with more mistakes is some other file; determining the position of each would take long. */
const MAX_FINDINGS = 100;

/**
 * A mapping with exactly these keys; for an unknown one the nearest known is suggested.
 *
 * @param cures messages for unknown keys that people may expect.
 */
export function strict<S extends z.ZodRawShape>(
  shape: S,
  cures?: ReadonlyMap<string, string>,
): z.ZodObject<S, z.core.$strict> {
  const known = Object.keys(shape);
  const cure = (key: string): string =>
    cures?.get(key) ?? (nearest(key, known) === null ? `known: ${known.join(', ')}` : didYouMean(key, known));
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      // One line for each key, in the order of `keys`: findings() splits them again.
      const keys = issue.keys.slice(0, MAX_FINDINGS);
      return keys.map((key) => `unknown key ${shown(key)}; ${cure(key)}`).join('\n');
    },
  });
}

/** The value, shortened. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Text that a function parses; what it throws becomes the message. */
export function read<T>(
  parse: (text: string) => T,
  /** Message for a value that is not text; undefined: the default one. */
  notText?: (issue: z.core.$ZodRawIssue) => string | undefined,
): z.ZodPipe<z.ZodString, z.ZodTransform<Awaited<T>, string>> {
  return z.string({ error: notText }).transform((text, context) => {
    try {
      return parse(text) as Awaited<T>;
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof SallyportError)) throw error;
      const cure = error instanceof SallyportError ? '; write a host such as example.com' : '';
      context.addIssue({ code: 'custom', message: `${error.message}${cure}` });
      return z.NEVER;
    }
  });
}

/** A list, or its only item. */
type OneOrMany<T extends z.ZodType> = z.ZodPipe<z.ZodTransform, z.ZodArray<T>>;

function orOne<T extends z.ZodType>(list: z.ZodArray<T>): OneOrMany<T> {
  const isOne = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';
  return z.preprocess((value) => (isOne(value) ? [value] : value), list) as OneOrMany<T>;
}

/** At least one item. */
export function oneOrMany<T extends z.ZodType>(item: T): OneOrMany<T> {
  return orOne(z.array(item).min(1));
}

/** Any number of items. @param notList message for a value that is no list; undefined: the default one. */
export function noneOrMany<T extends z.ZodType>(
  item: T,
  notList?: (issue: z.core.$ZodRawIssue) => string | undefined,
): OneOrMany<T> {
  return orOne(z.array(item, { error: notList }));
}

/**
 * Besides control characters: characters that break lines, and unpaired surrogates. Direction marks are needed in some
 * languages.
 */
const unfit = /[\p{Cc}\p{Surrogate}\u2028\u2029]/u;

/** A line of text. */
export const line = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .refine((text) => !unfit.test(text), 'control characters are not allowed; write one line of plain text');

/** Ids appear in log lines, metric labels and URLs. */
export const id = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'an id has at most 63 characters, only a-z, 0-9, ".", "_" and "-", and begins with a letter or digit; rename it',
  );

/** `vendor/product`. */
export const productRef = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]*\/[a-z0-9][a-z0-9._-]*$/, 'a product is written vendor/product, such as openai/chatgpt');

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** Node's timers are limited to 2^31 - 1 ms; a longer one would fire at once. */
const LONGEST = 24 * units.d;

function withoutUnit({ input, path }: z.core.$ZodRawIssue): string | undefined {
  if (typeof input !== 'number') return undefined;
  return `${named(path)} is ${input} without a unit; write ${input}s for seconds, or use ms, m, h or d`;
}

/** Milliseconds of `500ms`, `10s`, `5m`, `1h` or `1d`. */
export const duration = read((text) => {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  if (amount === undefined || unit === undefined) {
    throw new ConfigError(`${shown(text)} is not a duration; write a number and a unit, such as 500ms, 10s, 5m or 1h`);
  }
  const length = Number(amount) * units[unit as keyof typeof units];
  if (length < 1 || length > LONGEST) throw new ConfigError(`${shown(text)} is out of range; write 1ms to 24d`);
  return length;
}, withoutUnit);

function parseWebUrl(text: string): string {
  const url = URL.canParse(text) && /^https?:\/\//i.test(text) ? new URL(text) : null;
  if (url === null)
    throw new ConfigError(`${shown(text)} is not a URL; write one that begins with http:// or https://`);
  if (url.username !== '' || url.password !== '')
    throw new ConfigError('a URL here may not contain credentials; remove them');
  return text;
}

/** A URL with the scheme http or https and no credentials, as written. */
export const webUrl = read(parseWebUrl);

/** A web URL, or `mailto:`. */
export const link = read((text) => (/^mailto:[^\s@]+@[^\s@]+$/.test(text) ? text : parseWebUrl(text)));

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys',
  record: 'a mapping of keys',
};

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return kinds[typeof value] ?? typeof value;
}

function named(path: Path | undefined): string {
  const key = path?.findLast((part) => typeof part === 'string');
  return key === undefined ? 'the file' : `"${key}"`;
}

const missing = 'is missing; add it';

function wrongType(path: Path | undefined, expected: string, input: unknown): string {
  // A word in place of a list with one item also has a position in a list.
  const isItem = typeof path?.at(-1) === 'number' && (expected !== 'string' || typeof input === 'object');
  const name = `${isItem ? 'each item of ' : ''}${named(path)}`;
  if (input === undefined) return `${name} ${missing}`;
  const text = `${name} must be ${kinds[expected] ?? expected}, not ${kindOf(input)}`;
  if (isItem && Array.isArray(input)) return `${text}; remove the inner brackets or the second dash`;
  if (input === null) return `${text}; give it a value or remove the key`;
  return `${text}; ${expected === 'string' && typeof input !== 'object' ? 'put it in quotes' : 'correct it'}`;
}

function wrongValue(name: string, known: readonly string[], input: unknown): string {
  if (input === undefined) return `${name} ${missing}`;
  const near = typeof input === 'string' ? nearest(input, known) : null;
  const cure = near === null ? 'choose one' : `did you mean "${near}"?`;
  return `${name} must be one of ${known.join(', ')}, not ${shown(input)}; ${cure}`;
}

function wrongSize(
  name: string,
  issue: z.core.$ZodRawIssue<z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig>,
): string {
  if (issue.code === 'too_big') {
    const most = String(issue.maximum);
    if (issue.origin === 'string') return `${name} is longer than ${most} characters; shorten it`;
    return `${name} is ${shown(issue.input)}; write ${most} or less`;
  }
  if (issue.origin === 'array') return `${name} is an empty list; add an item or remove the key`;
  if (issue.origin === 'string') return `${name} is empty text; write something or remove the key`;
  return `${name} is ${shown(issue.input)}; write ${String(issue.minimum)} or more`;
}

/** Messages for zod's errors; schemas with messages of their own keep them. */
const words: z.core.$ZodErrorMap = (issue) => {
  const name = named(issue.path);
  if (issue.code === 'invalid_type') return wrongType(issue.path, issue.expected, issue.input);
  if (issue.code === 'invalid_value') return wrongValue(name, issue.values.map(String), issue.input);
  if (issue.code === 'too_small' || issue.code === 'too_big') return wrongSize(name, issue);
  return undefined;
};

function finding(issue: z.core.$ZodIssue): Finding[] {
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return messages.map((message, i) => ({ path: [...issue.path, issue.keys[i] ?? ''], message, onKey: true }));
  }
  if (issue.code === 'invalid_key') {
    const message = issue.issues[0]?.message ?? issue.message;
    return [{ path: issue.path, message, onKey: true }];
  }
  return [{ path: issue.path, message: issue.message }];
}

/** A key that is missing because it is misspelt is one mistake, not two. */
function withoutEchoes(findings: readonly Finding[]): Finding[] {
  const meant = new Set(
    findings.flatMap(({ path, message, onKey }) => {
      const key = onKey === true ? /; did you mean "([^"]+)"\?$/.exec(message)?.[1] : undefined;
      return key === undefined ? [] : [JSON.stringify([...path.slice(0, -1), key])];
    }),
  );
  return findings.filter(({ path, message }) => !(message.endsWith(missing) && meant.has(JSON.stringify(path))));
}

/** The validated value, or everything that is wrong with it. */
export function shape<T extends z.ZodType>(
  schema: T,
  value: unknown,
): { readonly ok: true; readonly value: z.output<T> } | { readonly ok: false; readonly findings: readonly Finding[] } {
  const result = schema.safeParse(value, { error: words });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, findings: withoutEchoes(result.error.issues.flatMap(finding)).slice(0, MAX_FINDINGS) };
}
