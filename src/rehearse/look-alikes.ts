/** Collects hosts from logs that look like AI services, but that neither a rule nor the catalogue names. */
import type { Hostname } from '../flow.ts';
import { callsLikeAi, looksLikeAi } from './look-alike.ts';
import { createCounted } from './people.ts';
import type { People } from './people.ts';
import { countOf } from './tally.ts';
import type { Count, Ranked } from './tally.ts';
import { createTop } from './top.ts';

export interface LookAlike extends Count {
  readonly host: string;
  readonly why: string;
}

export interface LookAlikes {
  /** @param path the path of the request; null for a CONNECT. */
  readonly add: (host: Hostname, path: string | null, user: string) => void;
  readonly read: (most: number) => Ranked<LookAlike>;
}

const hostsKept = 10_000;

/** Number of hosts whose result is cached. */
const remembered = 50_000;

export function createLookAlikes(people: People): LookAlikes {
  const found = createTop({
    limit: hostsKept,
    create: () => ({ why: '', counted: createCounted() }),
    count: ({ counted }) => counted.attempts(),
  });
  let looks = new Map<Hostname, string | null>();

  const lookOf = (host: Hostname): string | null => {
    const known = looks.get(host);
    if (known !== undefined) return known;
    if (looks.size >= remembered) looks = new Map();
    const why = looksLikeAi(host);
    looks.set(host, why);
    return why;
  };

  return {
    add(host, path, user) {
      const why = lookOf(host) ?? (path === null ? null : callsLikeAi(path));
      if (why === null) return;
      const row = found.at(host);
      row.why = why;
      row.counted.add(people.number(user));
    },
    read: (most) => ({
      rows: found.list(most).map(([host, { why, counted }]) => ({ host, ...countOf(counted), why })),
      total: found.size(),
      atMost: found.lost(),
    }),
  };
}
