/** Text that others wrote, made fit for one line, for ASCII, for a header field, or for a number of bytes. */

/** Embeddings, overrides and isolates: they turn the text after them round. Marks (LRM, RLM) do no harm and stay. */
const turning = /[\u202a-\u202e\u2066-\u2069]/g;

/** Bidirectional controls as something to see: `[U+202E]`. */
export function showBidi(text: string): string {
  return text.replace(turning, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`);
}

/**
 * One line of at most `max` characters, an ellipsis at its end where it was longer. Control characters and line ends
 * become spaces, controls of direction become visible.
 */
export function oneLine(text: string, max: number): string {
  // Enough for any `max` characters of two units each; what follows is never looked at, however long it is.
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

/** Printable ASCII on one line: fit for a header field and a reason phrase. What ASCII lacks becomes `?`. */
export function ascii(text: string, max: number): string {
  const plain = oneLine(text, max)
    .replace(/[–—‘’“”…\u00a0]/g, (character) => lookalikes[character] ?? '?')
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^ -~]+/gu, '?');
  return plain.slice(0, max).trim();
}

/** A string of structured fields (RFC 9651, section 3.3.3). */
export function fieldString(text: string, max: number): string {
  return `"${ascii(text, max).replace(/["\\]/g, (character) => `\\${character}`)}"`;
}

/** The first of `candidates` that `fits`; where none does, the last. They go from the best to the shortest. */
export function firstThat(fits: (text: string) => boolean, candidates: readonly [string, ...string[]]): string {
  return candidates.find(fits) ?? candidates[candidates.length - 1] ?? candidates[0];
}

/** Percent-encoded for `grpc-message`: only what is not printable ASCII, and the percent sign. */
export function grpcMessage(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

const calendar = { day: 'numeric', month: 'long', year: 'numeric' } as const;

/** Making a format costs a hundred times as much as using it; there is one for each zone of a policy. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** `10 July 2026`, or `2026年7月10日`, in that IANA time zone; undefined: in the machine's. */
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

/** For the `datetime` of a `time` element; all but its milliseconds is made once a second. */
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

/** For `Date` (RFC 9110, section 5.6.7); made once a second. */
export function httpDate(at: number): string {
  const now = Math.floor(at / 1000);
  if (now !== second) {
    date = new Date(at).toUTCString();
    second = now;
  }
  return date;
}
