/**
 * Access control: identifies the user by credentials, by the client certificate, or by a field that a trusted proxy
 * set. Stands between the speakers and the lifecycle of an attempt.
 */
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../errors.ts';
import type { Answerable, Arrival, UpgradeArrival } from '../flow.ts';
import { clientKey, peerOf, type Peer } from './peers.ts';

/** The values of a field, one for each of its lines, by its name in lower case. */
export type Fields = (name: string) => readonly string[];

type Verdict =
  | { readonly kind: 'user'; readonly user: string; readonly groups?: readonly string[] }
  | { readonly kind: 'wrong' | 'throttled' | 'unavailable' };

export interface VouchedField {
  /** In lower case. */
  readonly name: string;
  readonly trusted: (address: string) => boolean;
}

export interface AccessRules {
  /** Null if passwords are not used. */
  readonly credentials: {
    /** Whether an unidentified client gets a 407. */
    readonly required: boolean;
    readonly check: (field: string, client: string) => Verdict | Promise<Verdict>;
  } | null;
  /** Field with the user's name, set by trusted proxies; null if there is none. */
  readonly userField: VouchedField | null;
  /** Field with the names of the user's groups, set by trusted proxies; null if there is none. */
  readonly groupsField: VouchedField | null;
}

export interface AccessOptions {
  /** Whether the client exceeds its request rate; counts this request. */
  readonly tooOften: (address: string) => boolean;
  /** The rules in force; null: every arrival goes on unchanged. */
  readonly rules: () => AccessRules | null;
  readonly arrived: (arrival: Arrival) => void;
  /** Answers a refused arrival. */
  readonly reject: (arrival: Arrival, code: ErrorCode, detail: string) => void;
  /** Called for each request that gets a 407 because it has no credentials. */
  readonly missing: () => void;
  readonly surprised: (error: unknown) => void;
}

const refusals = {
  wrong: ['authentication_required', 'the credentials are not valid'],
  throttled: ['authentication_limit', 'too many wrong passwords from this client or for this user'],
  unavailable: ['authentication_unavailable', 'the credentials could not be checked'],
} as const satisfies Record<Exclude<Verdict['kind'], 'user'>, readonly [ErrorCode, string]>;

const userName = /^[^\p{Cc}]{1,256}$/u;

/** The names in a field that lists groups, bounded by the size of a head. */
export function forwardedNames(value: string): string[] {
  const names = value.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '');
}

function connectionOf(arrival: Arrival): Duplex & Peer {
  return 'req' in arrival ? arrival.req.socket : arrival.socket;
}

/** Removes a field that a proxy may vouch for, whoever sent it: an origin might trust it because it came from us. */
function keepBack(arrival: Arrival, field: VouchedField | null): void {
  if (field === null || arrival.kind === 'tunnel') return;
  const { headers } = arrival.facts;
  Reflect.deleteProperty(headers, field.name);
  // Otherwise it could go on as a trailer field.
  headers.connection = headers.connection === undefined ? field.name : `${headers.connection}, ${field.name}`;
}

/** The values of a field if a trusted proxy sent it. */
function believed(arrival: Arrival, fields: Fields, field: VouchedField | null): readonly string[] {
  if (field === null) return [];
  const given = fields(field.name);
  keepBack(arrival, field);
  // With the PROXY protocol, the address that the header names: the load balancer's says nothing of who sent the field.
  return field.trusted(peerOf(connectionOf(arrival)).remoteAddress ?? '') ? given : [];
}

export interface Access {
  /** For arrivals on one of the proxy's ports. */
  readonly asked: (arrival: Arrival, fields: Fields) => void;
  /** For arrivals inside a tunnel, which have the user and groups of the CONNECT. */
  readonly askedInside: (arrival: Answerable | UpgradeArrival) => void;
}

export function createAccess(options: AccessOptions): Access {
  const refuse = options.reject;

  /** The user that a trusted proxy names; null if it is ambiguous. */
  const vouchedFor = (arrival: Arrival, fields: Fields, rules: AccessRules): string | undefined | null => {
    const [given = '', ...more] = believed(arrival, fields, rules.userField);
    if (more.length > 0 || (given !== '' && !userName.test(given))) return null;
    return given === '' ? peerOf(connectionOf(arrival)).user : given;
  };

  /** Adds the groups that a trusted proxy names. Several lines form one list (RFC 9110, section 5.3). */
  const withGroups = (arrival: Arrival, fields: Fields, rules: AccessRules): Arrival => {
    const given = believed(arrival, fields, rules.groupsField);
    if (given.length === 0) return arrival;
    return { ...arrival, forwarded: forwardedNames(given.join(',')) };
  };

  const judged = (arrival: Arrival, verdict: Verdict): void => {
    if (verdict.kind === 'user') {
      const { user, groups } = verdict;
      // A trusted proxy and the directory may each know some of the groups.
      const forwarded = groups === undefined ? arrival.forwarded : [...(arrival.forwarded ?? []), ...groups];
      options.arrived({ ...arrival, user, ...(forwarded !== undefined && { forwarded }) });
      return;
    }
    const [code, detail] = refusals[verdict.kind];
    refuse(arrival, code, detail);
  };

  /** Handles an unexpected error. */
  const lost = (arrival: Arrival, error: unknown): void => {
    options.surprised(error);
    refuse(arrival, 'internal_error', 'arrival failed');
  };

  const mayAsk = (arrival: Arrival): boolean => {
    if (!options.tooOften(arrival.clientAddress)) return true;
    refuse(arrival, 'rate_limit', 'over limits.client_requests');
    return false;
  };

  const takeInside: Access['askedInside'] = (arrival) => {
    if (!mayAsk(arrival)) return;
    const rules = options.rules();
    if (rules !== null) {
      keepBack(arrival, rules.userField);
      keepBack(arrival, rules.groupsField);
    }
    options.arrived(arrival);
  };

  const take: Access['asked'] = (asking, fields) => {
    if (!mayAsk(asking)) return;
    const rules = options.rules();
    if (rules === null) {
      options.arrived(asking);
      return;
    }
    const arrival = withGroups(asking, fields, rules);
    const user = vouchedFor(arrival, fields, rules);
    if (user === null) {
      // Without a name, no rule for users would apply.
      const name = rules.userField?.name ?? '';
      refuse(arrival, 'malformed_request', `${name} of a trusted proxy is there twice, or holds no name of a user`);
      return;
    }
    if (user !== undefined || rules.credentials === null) {
      options.arrived(user === undefined ? arrival : { ...arrival, user });
      return;
    }
    const [field, ...others] = fields('proxy-authorization');
    if (field === undefined || others.length > 0) {
      if (rules.credentials.required) {
        options.missing();
        const detail = field === undefined ? 'no credentials were sent' : 'more than one Proxy-Authorization field';
        refuse(arrival, 'authentication_required', detail);
      } else options.arrived(arrival);
      return;
    }
    const verdict = rules.credentials.check(field, clientKey(arrival.clientAddress));
    if ('then' in verdict)
      verdict
        .then((later) => judged(arrival, later))
        .catch((error: unknown) => lost(arrival, error))
        .catch(options.surprised);
    else judged(arrival, verdict);
  };

  return {
    asked(arrival, fields) {
      try {
        take(arrival, fields);
      } catch (error) {
        lost(arrival, error);
      }
    },
    askedInside(arrival) {
      try {
        takeInside(arrival);
      } catch (error) {
        lost(arrival, error);
      }
    },
  };
}
