/**
 * Squid's native format, `%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt`, optionally with a syslog prefix
 * and the fields of `log_mime_hdrs`.
 */
import { bad, challenge, isNoRequest, noRequest, readUser } from './line.ts';
import type { Line } from './line.ts';

const start = /(?:^|\s)(\d{9,11}\.\d{1,6})\s+(-?\d+)\s+(?=\S+\s+[A-Z_]+(?:\/\d{3})?\s)/;

/** Maximum length of syslog's prefix in characters. */
const longestPrefix = 512;

export function isSquidLine(text: string): boolean {
  return start.test(text.slice(0, longestPrefix));
}

/** The start of the next word at or after `from`; words are separated by one or more spaces. */
function wordAt(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === 0x20) at += 1;
  return at;
}

function wordEnd(text: string, from: number): number {
  const end = text.indexOf(' ', from);
  return end === -1 ? text.length : end;
}

/** Squid logs the time at which a request ended: it arrived earlier, by its duration. */
export function readSquidLine(text: string): Line {
  let from = wordAt(text, 0);
  // Only lines from syslog begin with something other than the time.
  const first = text.charCodeAt(from);
  if (!(first >= 0x30 && first <= 0x39 && text.indexOf('.', from) - from >= 9)) {
    const found = start.exec(text.slice(0, longestPrefix));
    if (found === null) return bad('not a Squid line: no time such as 1783670400.123 at the beginning');
    from = wordAt(text, found.index);
  }
  let end = wordEnd(text, from);
  const ended = Number(text.slice(from, end)) * 1000;
  from = wordAt(text, end);
  end = wordEnd(text, from);
  const took = Number(text.slice(from, end));
  if (!(ended > 0) || Number.isNaN(took)) return bad('not a Squid line: the time or the duration is not a number');
  from = wordAt(text, end);
  end = wordEnd(text, from);
  const client = text.slice(from, end);
  from = wordAt(text, end);
  end = wordEnd(text, from);
  const refusedCredentials = text.startsWith('/407', end - 4);
  from = wordAt(text, wordEnd(text, wordAt(text, end)));
  end = wordEnd(text, from);
  const method = text.slice(from, end);
  from = wordAt(text, end);
  end = wordEnd(text, from);
  const url = text.slice(from, end);
  from = wordAt(text, end);
  end = wordEnd(text, from);
  if (from >= text.length) return bad('not a Squid line: it ends before the user');
  if (refusedCredentials) return challenge;
  if (isNoRequest(method, url)) return noRequest;
  const user = readUser(text.slice(from, end));
  const at = Math.round(ended - Math.max(0, took));
  return { kind: 'attempt', at, client, user, method, url, serverName: null, id: null, tunnel: null };
}
