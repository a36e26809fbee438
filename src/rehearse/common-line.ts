/**
 * Apache's Common and Combined Log Formats, which Squid calls the same: `client ident user [time] "METHOD url HTTP/1.1"
 * status bytes …`. A virtual host and its port may precede the client, as in `vhost_combined`.
 */
import { bad, challenge, isNoRequest, noRequest, readUser } from './line.ts';
import type { Line } from './line.ts';

// Squid does not escape quotes in a URL, so the request ends at the quote before the status.
const shape = /^(?:[\w.-]+:\d+ )?(\S+) \S+ (.{1,256}?) \[([^\]]{20,40})\] "(.*?)" (\d{1,3}|-)(?: |$)/;
const time = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/;
const months = 'JanFebMarAprMayJunJulAugSepOctNovDec';

export function isCommonLine(text: string): boolean {
  return shape.test(text);
}

/** `10/Jul/2026:13:55:36 -0700` in epoch milliseconds; NaN for anything else. */
export function readCommonTime(text: string): number {
  const [, day, month = '', year, hour, minute, second, sign, zoneHours, zoneMinutes] = time.exec(text) ?? [];
  const at = months.indexOf(month);
  if (day === undefined || at === -1) return Number.NaN;
  const utc = Date.UTC(Number(year), at / 3, Number(day), Number(hour), Number(minute), Number(second));
  const offset = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  return sign === '-' ? utc + offset : utc - offset;
}

/** Creates a reader that caches the last parsed time, as a busy proxy logs many lines per second. */
export function createCommonReader(): (text: string) => Line {
  let lastText = '';
  let last = Number.NaN;
  return (text) => {
    const found = shape.exec(text);
    if (found === null) return bad('not a line in the common format: no [time] "request" status');
    const [, client = '', user = '', stamp = '', request = '', status] = found;
    if (stamp !== lastText) {
      lastText = stamp;
      last = readCommonTime(stamp);
    }
    if (Number.isNaN(last)) return bad('the time is not one such as 10/Jul/2026:13:55:36 +0200');
    if (status === '407') return challenge;
    const [method = '', url = '-'] = request.split(' ');
    if (isNoRequest(method, url)) return noRequest;
    if (url.startsWith('/')) return bad('the request names no host: this is the log of a web server, not of a proxy');
    return {
      kind: 'attempt',
      at: last,
      client,
      user: readUser(user),
      method,
      url,
      serverName: null,
      id: null,
      tunnel: null,
    };
  };
}
