/**
 * Who asks, as far as a request says it itself: credentials, the certificate of its connection, or a field that a
 * proxy before us vouches for. Stands between the speakers and the life of an attempt.
 */
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../errors.ts';
import type { Answerable, Arrival, UpgradeArrival } from '../flow.ts';
import { clientKey, peerOf, type Peer } from './peers.ts';

/** The values of a field by its lower-case name, one for each of its lines. */
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
  /** Null: no passwords are asked for. */
  readonly credentials: {
    /** Who comes without any name is asked for one. */
    readonly required: boolean;
    readonly check: (field: string, client: string) => Verdict | Promise<Verdict>;
  } | null;
  /** A field with the user's name, in requests of proxies that are trusted. Null: none is believed. */
  readonly userField: VouchedField | null;
  /** The same, with the names of the user's groups. */
  readonly groupsField: VouchedField | null;
}

export interface AccessOptions {
  /** Whether a client has asked too often; counts this time. */
  readonly tooOften: (address: string) => boolean;
  /** The rules in force; null: nothing is asked, and every arrival goes on as it is. */
  readonly rules: () => AccessRules | null;
  readonly arrived: (arrival: Arrival) => void;
  /** Answers what may not go on. */
  readonly reject: (arrival: Arrival, code: ErrorCode, detail: string) => void;
  /** Hears of each request that was asked for the credentials that it did not bring. */
  readonly missing: () => void;
  readonly surprised: (error: unknown) => void;
}

const refusals = {
  wrong: ['authentication_required', 'the credentials are not valid'],
  throttled: ['authentication_limit', 'too many wrong passwords from this client or for this user'],
  unavailable: ['authentication_unavailable', 'the credentials could not be checked'],
} as const satisfies Record<Exclude<Verdict['kind'], 'user'>, readonly [ErrorCode, string]>;

const userName = /^[^\p{Cc}]{1,256}$/u;

/** The names in a field that lists groups: as many as fit into a head. */
export function forwardedNames(value: string): string[] {
  const names = value.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '');
}

function connectionOf(arrival: Arrival): Duplex & Peer {
  return 'req' in arrival ? arrival.req.socket : arrival.socket;
}

/** A field that a proxy may vouch for goes no further, whoever sent it: an origin might believe it of us. */
function keepBack(arrival: Arrival, field: VouchedField | null): void {
  if (field === null || arrival.kind === 'tunnel') return;
  const { headers } = arrival.facts;
  Reflect.deleteProperty(headers, field.name);
  // So that it does not go on as a trailer field either.
  headers.connection = headers.connection === undefined ? field.name : `${headers.connection}, ${field.name}`;
}

/** The values of a field, where a trusted proxy vouches for them. */
function believed(arrival: Arrival, fields: Fields, field: VouchedField | null): readonly string[] {
  if (field === null) return [];
  const given = fields(field.name);
  keepBack(arrival, field);
  return field.trusted(connectionOf(arrival).remoteAddress ?? '') ? given : [];
}

export interface Access {
  /** What comes to a port of this proxy. */
  readonly asked: (arrival: Arrival, fields: Fields) => void;
  /** What comes inside a tunnel: its user and its groups are those of the CONNECT. */
  readonly askedInside: (arrival: Answerable | UpgradeArrival) => void;
}

export function createAccess(options: AccessOptions): Access {
  const refuse = options.reject;

  /** The name that somebody else has made sure of; null where it is not clear which one is meant. */
  const vouchedFor = (arrival: Arrival, fields: Fields, rules: AccessRules): string | undefined | null => {
    const [given = '', ...more] = believed(arrival, fields, rules.userField);
    if (more.length > 0 || (given !== '' && !userName.test(given))) return null;
    return given === '' ? peerOf(connectionOf(arrival)).user : given;
  };

  /** The groups that it is in by the word of a trusted proxy. More lines are one list (RFC 9110, section 5.3). */
  const withGroups = (arrival: Arrival, fields: Fields, rules: AccessRules): Arrival => {
    const given = believed(arrival, fields, rules.groupsField);
    if (given.length === 0) return arrival;
    return { ...arrival, forwarded: forwardedNames(given.join(',')) };
  };

  const judged = (arrival: Arrival, verdict: Verdict): void => {
    if (verdict.kind === 'user') {
      const { user, groups } = verdict;
      // A trusted proxy and the directory may each know some.
      const forwarded = groups === undefined ? arrival.forwarded : [...(arrival.forwarded ?? []), ...groups];
      options.arrived({ ...arrival, user, ...(forwarded !== undefined && { forwarded }) });
      return;
    }
    const [code, detail] = refusals[verdict.kind];
    refuse(arrival, code, detail);
  };

  /** Nobody else answers it any more: its speaker, who answers what is thrown at once, has let go of it. */
  const lost = (arrival: Arrival, error: unknown): void => {
    options.surprised(error);
    refuse(arrival, 'internal_error', 'arrival failed');
  };

  const mayAsk = (arrival: Arrival): boolean => {
    if (!options.tooOften(arrival.clientAddress)) return true;
    refuse(arrival, 'rate_limit', 'over limits.client_requests');
    return false;
  };

  const askedInside: Access['askedInside'] = (arrival) => {
    if (!mayAsk(arrival)) return;
    const rules = options.rules();
    if (rules !== null) {
      keepBack(arrival, rules.userField);
      keepBack(arrival, rules.groupsField);
    }
    options.arrived(arrival);
  };

  const asked: Access['asked'] = (asking, fields) => {
    if (!mayAsk(asking)) return;
    const rules = options.rules();
    if (rules === null) {
      options.arrived(asking);
      return;
    }
    const arrival = withGroups(asking, fields, rules);
    const user = vouchedFor(arrival, fields, rules);
    if (user === null) {
      // Without a name every rule for users would be shed.
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
        refuse(arrival, 'authentication_required', 'no credentials were sent');
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

  return { asked, askedInside };
}
