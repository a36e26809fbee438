/** The cases for which two policies are compared: services and hosts, kinds of clients, intervals of time. */
import { indexHosts } from '../decide/match.ts';
import { nextChange } from '../decide/schedule.ts';
import type { Hostname, PolicyDocument, Service, Target } from '../flow.ts';
import { indexMembers } from '../identify/members.ts';
import { indexServices } from '../identify/services.ts';
import { parseHost } from '../listen/target.ts';
import type { Judged } from './judge.ts';
import { listsOver, type StandIn } from './list-cases.ts';

/** Number of schedule changes to examine, besides dated ones: weekly windows never end. */
const turns = 200;

export const inNoGroup = 'clients in no group';

/** A service or host that represents all others with the same answers. */
export interface Subject {
  readonly label: string;
  readonly vendor: string | null;
  readonly target: Target;
  /** Its service in the catalogues before and after the change. */
  readonly services: readonly [Service | null, Service | null];
}

export interface Whom {
  readonly label: string;
  readonly groups: readonly [ReadonlySet<string>, ReadonlySet<string>];
}

export type Pair<T> = readonly [T, T];

function targetOf(host: Hostname): Target {
  const { kind } = parseHost(host);
  return { host, kind, port: 443 };
}

/** The fields that rules can distinguish, so that the hosts of a product become one subject. */
function looks(service: Service | null): string {
  if (service === null) return '';
  const { vendor, product, channel, tags, operator, model } = service;
  return JSON.stringify([vendor, product, channel, tags, operator, model]);
}

/** @param standIns hosts that represent those of external lists. */
export function subjectsOf(both: Pair<Judged>, standIns: readonly StandIn[]): Subject[] {
  const find = both.map(({ vendors }) => indexServices(vendors, indexHosts));
  const subjects = new Map<string, Subject>();
  const add = (host: Hostname, own: string | null): void => {
    const [before = null, after = null] = find.map((services) => services(host));
    const key = own ?? `${looks(before)} ${looks(after)}`;
    const service = after ?? before;
    const label = own ?? (service === null ? host : `${service.vendor}/${service.product}`);
    if (!subjects.has(key)) {
      subjects.set(key, {
        label,
        vendor: own === null ? (service?.vendor ?? null) : null,
        target: targetOf(host),
        services: [before, after],
      });
    }
  };
  for (const { vendors } of both) {
    for (const { products } of vendors) {
      for (const { hosts } of products) {
        // A listed host is a subject of its own, as the other hosts of its product may not be on the list.
        for (const { host } of hosts) add(host, listsOver(both, host) === '' ? null : `host ${host}`);
      }
    }
  }
  const ruled = both.flatMap(({ document }) =>
    [...document.rules, ...document.exceptions].flatMap(({ what }) => what.domains ?? []),
  );
  for (const domain of new Set(ruled)) {
    const host = (domain.startsWith('=') ? domain.slice(1) : domain) as Hostname;
    add(host, `host ${domain}`);
  }
  for (const { host, label } of standIns) add(host, label);
  add('host-in-no-list.invalid' as Hostname, 'hosts that neither a rule nor the catalogue names');
  add('192.0.2.1' as Hostname, 'addresses without a name');
  return [...subjects.values()];
}

/** The groups and sites that rules and exceptions name, alone and in the combinations that these require. */
function idsOf({ rules, exceptions }: PolicyDocument): string[][] {
  return [...rules, ...exceptions].flatMap(({ groups = [], sites = [] }) => [
    ...[...groups, ...sites].map((id) => [id]),
    ...groups.flatMap((group) => sites.map((site) => [group, site])),
  ]);
}

/** Clients in no group, each group by itself, and addresses and users whose groups change. */
export function whomOf(both: Pair<Judged>): Whom[] {
  const documents = both.map(({ document }) => document);
  const members = documents.map(indexMembers);
  const found = new Map<string, Whom>();
  const add = (label: string, before: ReadonlySet<string>, after: ReadonlySet<string>): void => {
    const key = `${[...before].toSorted().join()} ${[...after].toSorted().join()}`;
    if (!found.has(key)) found.set(key, { label, groups: [before, after] });
  };
  const come = (label: string, address: string, user: string | null): void => {
    const [before = new Set<string>(), after = new Set<string>()] = members.map((of) => of(address, user));
    const same = before.size === after.size && [...before].every((id) => after.has(id));
    add(same ? [...after].join(' and ') : label, before, after);
  };
  add(inNoGroup, new Set(), new Set());
  for (const ids of documents.flatMap(idsOf)) add(ids.join(' and '), new Set(ids), new Set(ids));
  const listed = documents.flatMap(({ groups, sites = {} }) => [...Object.values(groups), ...Object.values(sites)]);
  for (const block of new Set(listed.flatMap(({ networks }) => networks))) come(block, block.split('/')[0] ?? '', null);
  const users = documents.flatMap(({ groups }) => Object.values(groups).flatMap((group) => group.users));
  for (const user of new Set(users)) come(user, '', user);
  return [...found.values()];
}

/** The beginnings of the intervals in which no rule begins or ends; the first is -Infinity. */
export function intervalsOf(both: Pair<Judged>, now: number): number[] {
  const dated = both.flatMap(({ document }) =>
    [...document.rules, ...document.exceptions, ...(document.pauses ?? [])].flatMap(({ from, until }) => [from, until]),
  );
  const moments = new Set(dated.filter((moment) => moment !== undefined));
  for (const { document } of both) {
    let next = nextChange(document, now);
    for (let turn = 0; next !== null && turn < turns; turn++) {
      moments.add(next);
      next = nextChange(document, next);
    }
  }
  return [-Infinity, ...[...moments].toSorted((a, b) => a - b)];
}
