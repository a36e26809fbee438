/** Parses the target from the method and URL of a log line. */
import { SallyportError } from '../errors.ts';
import type { Target } from '../flow.ts';
import { parseAuthority } from '../listen/target.ts';

export interface Asked {
  readonly target: Target;
  /** An https URL in another proxy's log counts as a CONNECT, since this proxy can read only plain HTTP requests. */
  readonly moment: 'connect' | 'request';
  /** Without its query; null for a CONNECT. */
  readonly path: string | null;
}

/** Number of targets that are cached, by their text. */
const remembered = 50_000;

const absolute = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)/i;

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443, ws: 80, wss: 443 };

/** Adds missing brackets around an IPv6 address, as in `::1:443`. */
function withBrackets(authority: string): string {
  if (authority.startsWith('[')) return authority;
  const last = authority.lastIndexOf(':');
  return authority.indexOf(':') === last ? authority : `[${authority.slice(0, last)}]${authority.slice(last)}`;
}

function readAuthority(text: string, port: number): Target | string {
  try {
    return parseAuthority(withBrackets(text.slice(text.lastIndexOf('@') + 1)), port);
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    return error.message;
  }
}

/** Creates a parser that returns the target, or a text why there is none. */
export function createTargets(): (method: string, url: string) => Asked | string {
  let connects = new Map<string, Asked | string>();
  let authorities = new Map<string, Target | string>();

  const connect = (url: string): Asked | string => {
    const known = connects.get(url);
    if (known !== undefined) return known;
    if (connects.size >= remembered) connects = new Map();
    const target = readAuthority(url, 443);
    const asked = typeof target === 'string' ? target : { target, moment: 'connect' as const, path: null };
    connects.set(url, asked);
    return asked;
  };

  return (method, url) => {
    const found = method === 'CONNECT' && !url.includes('/') ? null : absolute.exec(url);
    if (found === null) {
      return method === 'CONNECT' ? connect(url) : 'the request names no host; only CONNECT and absolute URLs do';
    }
    const [, scheme = '', authority = '', path = ''] = found;
    const port = defaultPorts[scheme.toLowerCase()];
    if (port === undefined) return `the scheme is "${scheme.slice(0, 20)}", not http or https`;
    if (port === 443)
      return connect(authority.includes(':', authority.lastIndexOf(']') + 1) ? authority : `${authority}:443`);
    const key = authority;
    let target = authorities.get(key);
    if (target === undefined) {
      if (authorities.size >= remembered) authorities = new Map();
      target = readAuthority(authority, port);
      authorities.set(key, target);
    }
    return typeof target === 'string' ? target : { target, moment: 'request', path: path === '' ? '/' : path };
  };
}
