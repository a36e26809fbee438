/** Where an assistant is, as the proxy would judge it. */
import { parseUrl } from '../listen/target.ts';

/**
 * Null for a bare address, to which a PAC file has browsers go directly where it is private, and for what a browser may
 * open and this proxy takes for no host.
 */
export function assistantAt(url: string): ReturnType<typeof parseUrl> | null {
  try {
    const read = parseUrl(new URL(url).href.replace(/#.*/, ''));
    return read.target.kind === 'name' ? read : null;
  } catch {
    return null;
  }
}
