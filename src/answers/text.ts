/** Converts untrusted text: to a single line, to ASCII, to a header field; and formats dates. */

/** Embeddings, overrides and isolates, which can reverse the text after them. Marks (LRM, RLM) are harmless. */
const turning = /[\u202a-\u202e\u2066-\u2069]/g;

/** Makes bidirectional controls visible, as `[U+202E]`. */
export function showBidi(text: string): string {
  return text.replace(turning, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`);
}

/**
 * One line of at most `max` characters, with an ellipsis if truncated. Control characters and line breaks become
 * spaces, bidirectional controls become visible.
 */
export function oneLine(text: string, max: number): string {
  // A character has at most two UTF-16 units; the rest of a long text is never processed.
  const start = text.slice(0, max * 2 + 2);
  const clean = showBidi(start.replace(/\p{Cs}/gu, '\ufffd').replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')).trim();
  const characters = Array.from(clean);
  if (characters.length <= max && start.length === text.length) return clean;
  return `${characters
    .slice(0, max - 1)
    .join('')
    .trimEnd()}…`;
}

const lookalikes: Readonly<Record<string, string>> = {
  '–': '-',
  '—': '-',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '…': '...',
  '\u00a0': ' ',
};

/** Printable ASCII on one line, valid in a header field and a reason phrase. Other characters become `?`. */
export function ascii(text: string, max: number): string {
  const plain = oneLine(text, max)
    .replace(/[–—‘’“”…\u00a0]/g, (character) => lookalikes[character] ?? '?')
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^ -~]+/gu, '?');
  return plain.slice(0, max).trim();
}

/** A structured-field string (RFC 9651, section 3.3.3). */
export function fieldString(text: string, max: number): string {
  return `"${ascii(text, max).replace(/["\\]/g, (character) => `\\${character}`)}"`;
}

/** The first of `candidates` that `fits`, otherwise the last. They are ordered from best to shortest. */
export function firstThat(fits: (text: string) => boolean, candidates: readonly [string, ...string[]]): string {
  return candidates.find(fits) ?? candidates[candidates.length - 1] ?? candidates[0];
}

/** Encodes text for `grpc-message`: percent-encodes the percent sign and everything except printable ASCII. */
export function grpcMessage(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

const calendar = { day: 'numeric', month: 'long', year: 'numeric' } as const;

/** Cached by language and time zone: creating a format costs a hundred times as much as using it. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** `10 July 2026` or `2026年7月10日`, in an IANA time zone; undefined: the machine's. */
export function longDate(at: number, timeZone: string | undefined, language: 'en' | 'zh' = 'en'): string {
  const key = `${language} ${timeZone ?? ''}`;
  const locale = language === 'en' ? 'en-GB' : 'zh-CN';
  const format = formats.get(key) ?? new Intl.DateTimeFormat(locale, { ...calendar, timeZone });
  formats.set(key, format);
  return format.format(at);
}

/** `10 July 2026, 09:30 UTC`. */
export function dateAndTime(at: number, language: 'en' | 'zh' = 'en'): string {
  const separator = language === 'en' ? ', ' : ' ';
  return `${longDate(at, 'UTC', language)}${separator}${new Date(at).toISOString().slice(11, 16)} UTC`;
}

let isoSecond = Number.NaN;
let isoStart = '';

/** For the `datetime` attribute of `time`; the part down to the second is cached. */
export function isoTime(at: number): string {
  const now = Math.floor(at / 1000);
  if (now !== isoSecond) {
    isoStart = new Date(now * 1000).toISOString().slice(0, -4);
    isoSecond = now;
  }
  return `${isoStart}${String(Math.floor(at - now * 1000)).padStart(3, '0')}Z`;
}

let second = Number.NaN;
let date = '';

/** For `Date` (RFC 9110, section 5.6.7); cached for the second. */
export function httpDate(at: number): string {
  const now = Math.floor(at / 1000);
  if (now !== second) {
    date = new Date(at).toUTCString();
    second = now;
  }
  return date;
}
