/** The segments of a path as an origin sees them, however the client wrote it. */

/**
 * Without the query, and decoded once, as clients write `:` and `/` in a model's id as `%3A` and `%2F`. Empty and dot
 * segments are removed (RFC 3986, section 5.2.4): origins do that too, so they could otherwise hide a segment.
 */
export function segmentsOf(path: string): string[] {
  const query = path.indexOf('?');
  const segments: string[] = [];
  for (const written of (query === -1 ? path : path.slice(0, query)).split('/')) {
    let segment = written;
    try {
      if (written.includes('%')) segment = decodeURIComponent(written);
    } catch {
      // Invalid percent-encoding: used as it is.
    }
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments;
}
