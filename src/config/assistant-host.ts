/** The host of an assistant, as the proxy would judge it. */
import { parseUrl } from '../listen/target.ts';

/**
 * Null for a raw address, as PAC files let browsers connect directly to private ones, and for a URL whose host the
 * proxy would not accept.
 */
export function assistantAt(url: string): ReturnType<typeof parseUrl> | null {
  try {
    const read = parseUrl(new URL(url).href.replace(/#.*/, ''));
    return read.target.kind === 'name' ? read : null;
  } catch {
    return null;
  }
}
