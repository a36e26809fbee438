/**
 * The lines of domain lists: plain names, hosts files, and the Adblock lines that are about whole domains. Read as
 * bytes, because a list has a million of them.
 *
 *   plain     `example.com`, `.example.com`, `*.example.com`: the name and everything below it; `=example.com`: only it
 *   hosts     `0.0.0.0 example.com www.example.com`: only these names, as a hosts file means it
 *   adblock   `||example.com^`: the name and everything below it; `@@||example.com^` takes them out again
 */
import { isIP } from 'node:net';
import { SallyportError } from '../errors.ts';
import { parseHost } from '../listen/target.ts';

export const listFormats = ['auto', 'plain', 'hosts', 'adblock'] as const;
/** `auto`: detected for each line. */
export type ListFormat = (typeof listFormats)[number];

/** `domains`: names were found; `nothing`: blank, a comment, or about parts of pages; otherwise an error. */
export type LineResult = 'domains' | 'nothing' | 'not a domain' | 'a whole top-level domain' | 'in another format';

/** Called with each name: lower-case ASCII between `from` and `to`. */
export type TakeName = (bytes: Uint8Array, from: number, to: number, listed: 'suffix' | 'exact' | 'not') => void;

const [TAB, SPACE, BANG, HASH, DOLLAR, AT, STAR, DOT] = [0x09, 0x20, 0x21, 0x23, 0x24, 0x40, 0x2a, 0x2e] as const;
const [EQUALS, BRACKET, CARET, UNDERSCORE, PIPE, HYPHEN, SLASH] = [0x3d, 0x5b, 0x5e, 0x5f, 0x7c, 0x2d, 0x2f] as const;
const [ZERO, NINE, UPPER_A, UPPER_Z, LOWER_A, LOWER_Z] = [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a] as const;

const MAX_NAME = 253;
const MAX_LABEL = 63;

/** Names in hosts files for the machine itself. */
const local = /^(?:localhost|localhost\.localdomain|local|broadcasthost|ip6-.*|0\.0\.0\.0)$/;

/** Options that leave a line about the whole domain. */
const wholeDomain = /^(?:important|all|document|doc)(?:,(?:important|all|document|doc))*$/;

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === 0x0d;
}

/** The text, for rare lines that are not processed as bytes. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}

export interface LineReader {
  /** Reads the line from `from` to `to`, without its newline. Modifies the bytes. */
  readonly read: (bytes: Uint8Array, from: number, to: number) => LineResult;
}

export function createLineReader(format: ListFormat, take: TakeName): LineReader {
  const folded = new Uint8Array(MAX_NAME);

  /** Uses the full parser: other scripts, Punycode, addresses, a trailing dot. */
  const takeFolded = (text: string, listed: 'suffix' | 'exact' | 'not'): LineResult => {
    try {
      const { host, kind } = parseHost(text);
      if (kind === 'name' && !host.includes('.')) return 'a whole top-level domain';
      const length = Buffer.from(folded.buffer).write(host, 'latin1');
      take(folded, 0, length, kind !== 'name' && listed === 'suffix' ? 'exact' : listed);
      return 'domains';
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      return 'not a domain';
    }
  };

  /** Names in the usual form are folded in place. */
  const takeName = (bytes: Uint8Array, from: number, to: number, listed: 'suffix' | 'exact' | 'not'): LineResult => {
    let label = from;
    let labels = 1;
    let letters = false;
    for (let i = from; i < to; i++) {
      const byte = bytes[i] ?? 0;
      if (byte === DOT) {
        // Empty, too long, or the final dot.
        if (i === label || i - label > MAX_LABEL || i + 1 === to) return takeFolded(textOf(bytes, from, to), listed);
        label = i + 1;
        labels += 1;
        letters = false;
      } else if (byte >= LOWER_A && byte <= LOWER_Z) letters = true;
      else if (byte >= UPPER_A && byte <= UPPER_Z) {
        bytes[i] = byte + 32;
        letters = true;
      } else if (!((byte >= ZERO && byte <= NINE) || byte === UNDERSCORE || (byte === HYPHEN && i > label))) {
        return takeFolded(textOf(bytes, from, to), listed);
      }
    }
    const length = to - from;
    const ace = bytes[label] === 0x78 && bytes[label + 1] === 0x6e && bytes[label + 2] === HYPHEN;
    if (!letters || ace || to - label > MAX_LABEL || length > MAX_NAME) {
      return takeFolded(textOf(bytes, from, to), listed);
    }
    if (labels === 1) return 'a whole top-level domain';
    take(bytes, from, to, listed);
    return 'domains';
  };

  const plain = (bytes: Uint8Array, from: number, to: number): LineResult => {
    const first = bytes[from];
    if (first === EQUALS) return takeName(bytes, from + 1, to, 'exact');
    if (first === STAR && bytes[from + 1] === DOT) return takeName(bytes, from + 2, to, 'suffix');
    return takeName(bytes, first === DOT ? from + 1 : from, to, 'suffix');
  };

  const hosts = (bytes: Uint8Array, from: number, to: number): LineResult => {
    let at = from;
    while (at < to && !isBlank(bytes[at])) at++;
    // The zone after % is the name of an interface.
    if (isIP(textOf(bytes, from, at).replace(/%.*$/, '')) === 0) return 'not a domain';
    let result: LineResult = 'nothing';
    while (at < to) {
      while (at < to && isBlank(bytes[at])) at++;
      const begin = at;
      while (at < to && !isBlank(bytes[at])) at++;
      if (at - begin <= 24 && local.test(textOf(bytes, begin, at))) continue;
      const taken = takeName(bytes, begin, at, 'exact');
      if (taken !== 'domains') return taken;
      result = taken;
    }
    return result;
  };

  /** The part after `||`. */
  const adblock = (bytes: Uint8Array, from: number, to: number, listed: 'suffix' | 'not'): LineResult => {
    let end = from;
    while (end < to && bytes[end] !== CARET && bytes[end] !== DOLLAR && bytes[end] !== SLASH) end++;
    let rest = end;
    if (bytes[rest] === CARET) rest++;
    if (bytes[rest] === PIPE) rest++;
    if (rest < to && !(bytes[rest] === DOLLAR && wholeDomain.test(textOf(bytes, rest + 1, to)))) return 'nothing';
    const below = bytes[from] === STAR && bytes[from + 1] === DOT ? from + 2 : from;
    // A star elsewhere does not name a domain.
    if (bytes.subarray(below, end).includes(STAR)) return 'nothing';
    return takeName(bytes, below, end, listed);
  };

  /** Lines about parts of pages or paths are valid, but mean nothing to a proxy. */
  const isOtherRule = (bytes: Uint8Array, from: number, to: number): boolean =>
    /##|#@#|#\?#|#\$#|#%#|[\^$|/*]/.test(textOf(bytes, from, to));

  const line = (bytes: Uint8Array, from: number, to: number): LineResult => {
    const first = bytes[from];
    if (first === PIPE && bytes[from + 1] === PIPE) {
      return format === 'plain' || format === 'hosts' ? 'in another format' : adblock(bytes, from + 2, to, 'suffix');
    }
    if (first === AT && bytes[from + 1] === AT && (format === 'auto' || format === 'adblock')) {
      if (bytes[from + 2] !== PIPE || bytes[from + 3] !== PIPE) return 'nothing';
      return adblock(bytes, from + 4, to, 'not');
    }
    let blank = from;
    while (blank < to && !isBlank(bytes[blank])) blank++;
    if (blank < to) {
      if (format === 'adblock' || format === 'plain') return 'in another format';
      return hosts(bytes, from, to);
    }
    if (format === 'hosts') return 'in another format';
    const result = plain(bytes, from, to);
    return result === 'not a domain' && format !== 'plain' && isOtherRule(bytes, from, to) ? 'nothing' : result;
  };

  return {
    read(bytes, from, to) {
      let begin = from;
      let end = to;
      while (begin < end && isBlank(bytes[begin])) begin++;
      const first = bytes[begin];
      if (begin === end || first === HASH || first === BANG) return 'nothing';
      if (first === BRACKET && format !== 'plain') {
        // The header of an Adblock list, `[Adblock Plus 2.0]`.
        if (/^\[Ad[bB]lock|^\[uBlock/.test(textOf(bytes, begin, end))) return 'nothing';
      }
      for (let i = begin + 1; i < end; i++) {
        // A comment after the names.
        if (bytes[i] === HASH && isBlank(bytes[i - 1])) end = i;
      }
      while (end > begin && isBlank(bytes[end - 1])) end--;
      return line(bytes, begin, end);
    },
  };
}
