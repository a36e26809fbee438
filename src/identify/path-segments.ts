/** The segments of a path as the origin will take them, however the client wrote it. */

/**
 * Without the query; each decoded once, for clients write `:` and `/` of a model's id as `%3A` and `%2F`. Empty and dot
 * segments go (RFC 3986, section 5.2.4): origins drop them too, so they must not hide a segment behind them.
 */
export function segmentsOf(path: string): string[] {
  const query = path.indexOf('?');
  const segments: string[] = [];
  for (const written of (query === -1 ? path : path.slice(0, query)).split('/')) {
    let segment = written;
    try {
      if (written.includes('%')) segment = decodeURIComponent(written);
    } catch {
      // Not percent-encoded throughout: read as it stands.
    }
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments;
}
