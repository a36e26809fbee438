/**
 * Caches fragments that many log lines share. A line concatenated from few strings takes a fraction of the time: each
 * one has to be created, and traversed when the line is encoded.
 */
import type { Decision, Service, Target } from '../flow.ts';
import { inOnePiece } from '../in-one-piece.ts';
import { jsonText } from './json-text.ts';

/** Maximum entries per cache; when it is full, it is cleared. */
const most = 1024;

/** Maximum key length, in UTF-16 units; longer keys are rare or hostile and not cached. */
const longest = 256;

/**
 * Only every eighth new value is cached: frequent values are soon cached, while a flood of names that occur once costs
 * next to nothing.
 */
const chance = 8;

/** A cache of fragments, by the value or its name. */
interface Kept<T> {
  readonly get: (key: string) => T | undefined;
  /** Whether to cache a new value. */
  readonly wants: (key: string) => boolean;
  readonly set: (key: string, written: T) => void;
}

function createKept<T>(): Kept<T> {
  const kept = new Map<string, T>();
  let news = 0;
  return {
    get: (key) => kept.get(key),
    wants(key) {
      news += 1;
      return news % chance === 0 && key.length <= longest;
    },
    set(key, written) {
      if (kept.size >= most) kept.clear();
      // Keys are slices of request heads, which they would otherwise keep in memory.
      kept.set(inOnePiece(key), written);
    },
  };
}

/** Memoizes `write`, with a bounded cache. */
export function memoize(write: (value: string) => string): (value: string) => string {
  const kept = createKept<string>();
  return (value) => {
    const known = kept.get(value);
    if (known !== undefined) return known;
    const text = write(value);
    if (kept.wants(value)) kept.set(value, inOnePiece(text));
    return text;
  };
}

/** The fields of a decision: `,"reason":…},"rule":{…}`. */
export function createRuleText(): (decision: Decision) => string {
  const kept = createKept<{ readonly reason: string; readonly text: string }>();
  return ({ rule, reason }) => {
    const known = kept.get(rule);
    if (known !== undefined && known.reason === reason) return known.text;
    const text = `,"reason":${jsonText(reason)}},"rule":{"id":${jsonText(rule)}}`;
    if (kept.wants(rule)) kept.set(rule, { reason, text: inOnePiece(text) });
    return text;
  };
}

/** The fields of a service, with a leading comma. Cached by object, since services are the catalogue's objects. */
export function createServiceText(): (service: Service) => string {
  const kept = new WeakMap<Service, string>();
  return (service) => {
    const known = kept.get(service);
    if (known !== undefined) return known;
    const { vendor, product, channel } = service;
    const text = inOnePiece(`,"vendor":${jsonText(vendor)},"product":${jsonText(product)},"channel":"${channel}"`);
    kept.set(service, text);
    return text;
  };
}

interface TargetText {
  /** `},"destination":{…`: closes the object before it, and ends after the domain. */
  readonly destination: string;
  /** `"domain":…,"port":…`. */
  readonly authority: string;
}

export function createTargetText(): (target: Target) => TargetText {
  const kept = createKept<TargetText & Pick<Target, 'kind' | 'port'>>();
  return ({ host, kind, port }) => {
    const known = kept.get(host);
    if (known !== undefined && known.port === port && known.kind === kind) return known;
    const name = jsonText(host);
    const destination = `},"destination":{"port":${port}${kind === 'name' ? `,"domain":${name}` : ''}`;
    const authority = `"domain":${name},"port":${port}`;
    if (!kept.wants(host)) return { destination, authority };
    const made = { kind, port, destination: inOnePiece(destination), authority: inOnePiece(authority) };
    kept.set(host, made);
    return made;
  };
}

type OfWords<A extends string, B extends string, C extends string> = Readonly<
  Record<A, Readonly<Record<B, Readonly<Record<C, string>>>>>
>;

/** Precomputes `write` for every combination of three words. */
export function ofWords<A extends string, B extends string, C extends string>(
  first: readonly A[],
  second: readonly B[],
  third: readonly C[],
  write: (a: A, b: B, c: C) => string,
): OfWords<A, B, C> {
  return byWord(first, (a) => byWord(second, (b) => byWord(third, (c) => inOnePiece(write(a, b, c)))));
}

function byWord<W extends string, T>(words: readonly W[], make: (word: W) => T): Readonly<Record<W, T>> {
  return Object.fromEntries(words.map((word) => [word, make(word)])) as Record<W, T>;
}
