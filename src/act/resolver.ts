/** Names to addresses: one lookup in flight per name, answers kept for a moment. */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import { SallyportError } from '../errors.ts';
import type { Target } from '../flow.ts';

export interface Resolver {
  /** At least one address; at once where it is known. Rejects with `dns_error` or `dns_timeout`. */
  readonly resolve: (target: Target) => readonly string[] | Promise<readonly string[]>;
}

/** `getaddrinfo` tells no TTL, so that answers are kept only as long as a burst of connections lasts. */
const POSITIVE_TTL = 5_000;
const NEGATIVE_TTL = 1_000;

type Answer = readonly string[] | SallyportError;

function ask(name: string, timeout: number): Promise<Answer> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(new SallyportError('dns_timeout', `no answer in ${timeout} ms`)), timeout);
    lookup(name, { all: true, verbatim: true }, (error, addresses) => {
      clearTimeout(timer);
      if (error === null && addresses.length > 0) resolve(addresses.map((entry) => entry.address));
      else resolve(new SallyportError('dns_error', error?.code ?? 'no address'));
    });
  });
}

/** Static names as in a hosts file; a key `*.example` is for everything below `example`. */
function fixedAddress(hosts: ReadonlyMap<string, string>, name: string): string | undefined {
  if (hosts.size === 0) return undefined;
  const exact = hosts.get(name);
  if (exact !== undefined) return exact;
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const below = hosts.get(`*${name.slice(dot)}`);
    if (below !== undefined) return below;
  }
  return undefined;
}

/** @param timeout milliseconds that one lookup may take. */
export function createResolver(options: {
  readonly hosts: Readonly<Record<string, string>>;
  readonly timeout: number;
}): Resolver {
  const hosts = new Map(Object.entries(options.hosts));
  const known = new LRUCache<string, Answer>({ max: 10_000, ttl: POSITIVE_TTL });
  const inFlight = new Map<string, Promise<Answer>>();

  const unwrap = (answer: Answer): readonly string[] => {
    if (answer instanceof SallyportError) throw answer;
    return answer;
  };

  const query = async (name: string): Promise<readonly string[]> => {
    let asked = inFlight.get(name);
    if (asked === undefined) {
      asked = ask(name, options.timeout);
      inFlight.set(name, asked);
      void asked.then((answer) => {
        inFlight.delete(name);
        known.set(name, answer, { ttl: answer instanceof SallyportError ? NEGATIVE_TTL : POSITIVE_TTL });
      });
    }
    return unwrap(await asked);
  };

  return {
    resolve(target) {
      if (target.kind !== 'name') return [target.host];
      const fixed = fixedAddress(hosts, target.host);
      if (fixed !== undefined) return [fixed];
      const answer = known.get(target.host);
      if (answer !== undefined) return unwrap(answer);
      // Newer attacks hide a second name behind a NUL, which the system's resolver would not see.
      if (target.host.includes('\0') || isIP(target.host) !== 0) throw new SallyportError('invalid_target');
      return query(target.host);
    },
  };
}
