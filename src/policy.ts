/** The policy as written. Types only; `flow.ts` re-exports them. */
import type { Channel, Hostname } from './terms.ts';

export type Effect = 'allow' | 'deny' | 'monitor';

/** How a denial is delivered: inside TLS in a format that the client shows, as the answer to the CONNECT, or by RST. */
export type Manner = 'intercept' | 'refuse' | 'reset';

/** A text in several languages, by canonical language tag (RFC 5646): `en`, `zh`, `pt-BR`. */
export type Texts = Readonly<Record<string, string>>;

export interface Assistant {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  /** How to migrate from a denied product: by `vendor/product`, or by `vendor` for its other products. */
  readonly migrations?: Readonly<Record<string, Texts>> | undefined;
}

/** The services and hosts that a rule is about. All given fields must match; lists are never empty. */
export interface What {
  readonly vendors?: readonly string[] | undefined;
  /** `vendor/product`. */
  readonly products?: readonly string[] | undefined;
  readonly channels?: readonly Channel[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Ids of the policy's risk classes. */
  readonly risks?: readonly string[] | undefined;
  /** `example.com` is the name and its subdomains; `=example.com` only the name. */
  readonly domains?: readonly string[] | undefined;
  /** Ids of external lists. A host needs to match only one of `domains` and `lists`. */
  readonly lists?: readonly string[] | undefined;
}

/** An external list of domains, possibly a million. Its content is not part of the document. */
export interface DomainList {
  readonly id: string;
  /** Absolute path of the list, or of the last good copy if it is fetched. */
  readonly file: string;
  /** URL to fetch it from; null for a local file. */
  readonly url: string | null;
  readonly format: 'auto' | 'plain' | 'hosts' | 'adblock';
  /** Milliseconds between two fetches. */
  readonly refresh: number;
  /** Maximum size of the uncompressed content. */
  readonly maxBytes: number;
  /** Required SHA-256 of the content in hexadecimal; null: any. */
  readonly sha256: string | null;
}

/** A time zone, as offsets from UTC. */
export interface Zone {
  /** IANA name. */
  readonly name: string;
  /** Offset from UTC in milliseconds before the first change. */
  readonly first: number;
  /** In order: from `at` (epoch milliseconds) on, the offset from UTC is `offset` milliseconds. */
  readonly changes: readonly { readonly at: number; readonly offset: number }[];
}

/** A time of day on some weekdays, in local time. It belongs to the day on which it begins. */
export interface Window {
  /** Bit 0 is Monday, bit 6 Sunday. */
  readonly days: number;
  /** Minutes since midnight. */
  readonly start: number;
  /** Minutes since the same midnight: more than 1440 if it ends on the next day. */
  readonly end: number;
}

/** Times of the week at which something applies. */
export interface Schedule {
  readonly zone: Zone;
  /** At least one. */
  readonly windows: readonly Window[];
  /** Days since 1 January 1970, in local time. */
  readonly holidays: ReadonlySet<number>;
  /** Whether windows that begin on a holiday apply as usual, not at all, or only on holidays. */
  readonly onHolidays: 'as-usual' | 'except' | 'only';
}

/**
 * What happens to an open tunnel when a denial comes into force: nothing, it ends after some time, or it ends at once.
 */
export type OnChange = 'keep' | 'drain' | 'cut';

export interface Rule {
  readonly id: string;
  readonly what: What;
  /** Groups that the rule is for; absent: everyone. */
  readonly groups?: readonly string[] | undefined;
  /** Sites that the rule is for; absent: everywhere. */
  readonly sites?: readonly string[] | undefined;
  /** Epoch milliseconds, inclusive. */
  readonly from?: number | undefined;
  /** Epoch milliseconds, exclusive. */
  readonly until?: number | undefined;
  /** Absent: at all times between `from` and `until`. */
  readonly schedule?: Schedule | undefined;
  readonly effect: Effect;
  /** For logs, and for clients that do not request a language. */
  readonly reason: string;
  /** The reason by language, if it is written in several. */
  readonly reasons?: Texts | undefined;
  readonly assistant?: string | undefined;
  readonly manner?: Manner | undefined;
  readonly redirect?: 'page' | 'immediate' | undefined;
  /** Where to request access. */
  readonly link?: string | undefined;
  /** URL of a longer explanation. */
  readonly details?: string | undefined;
  /** The owner of the rule. */
  readonly owner?: string | undefined;
  /** Makes browsers clear what the denied site has stored. */
  readonly clearSiteData?: boolean | undefined;
  /** Lets the catalogue's {@link AccountCall}s to denied products pass. */
  readonly letAccountCallsPass?: boolean | undefined;
  /** For tunnels that were opened before the rule denied them; absent: the policy's default. */
  readonly onChange?: OnChange | undefined;
}

export interface Exception {
  readonly id: string;
  readonly what: What;
  /** Groups that it is for; `user:NAME` and `network:CIDR` stand for single users and networks. */
  readonly groups?: readonly string[] | undefined;
  readonly sites?: readonly string[] | undefined;
  readonly from?: number | undefined;
  readonly until: number;
  readonly schedule?: Schedule | undefined;
  readonly approvedBy: string;
  readonly ticket?: string | undefined;
  readonly reason: string;
}

/** Members of a group: clients that match any of these. */
export interface Group {
  /** CIDR blocks and addresses. */
  readonly networks: readonly string[];
  /** Authenticated users. */
  readonly users: readonly string[];
  /** Names of the group at a trusted proxy or in the directory. */
  readonly forwarded: readonly string[];
}

/** A location, defined by networks. A client's `groups` contain its sites as well, so ids must not clash. */
export interface Site {
  readonly networks: readonly string[];
  /** Id of the assistant for its clients, unless a rule or an {@link AssistantChoice} names another. */
  readonly assistant?: string | undefined;
}

/** A risk class: services that match any of the fields. */
export type RiskClass = Pick<What, 'vendors' | 'products' | 'channels' | 'tags'>;

/** See {@link PolicyDocument.assistantFor}. */
export interface AssistantChoice {
  readonly what: What;
  readonly groups?: readonly string[] | undefined;
  readonly sites?: readonly string[] | undefined;
  /** Id of the assistant. */
  readonly assistant: string;
}

/** While a pause is in force, denials of a vendor's services are not enforced, only counted. */
export interface Pause {
  readonly id: string;
  /** Null: every vendor of the catalogue. */
  readonly vendor: string | null;
  /** Epoch milliseconds, inclusive. */
  readonly from: number;
  /** Epoch milliseconds, exclusive. */
  readonly until: number;
  readonly reason: string;
}

export interface PolicyDocument {
  /** IANA name of the zone in which dates are shown. Absent: the machine's. */
  readonly timeZone?: string | undefined;
  readonly assistants: readonly Assistant[];
  /** Id of the assistant for rules that name none; null: denials name no alternative. */
  readonly defaultAssistant: string | null;
  /** In order: the first match is the assistant for rules that name none. */
  readonly assistantFor?: readonly AssistantChoice[] | undefined;
  readonly groups: Readonly<Record<string, Group>>;
  readonly sites?: Readonly<Record<string, Site>> | undefined;
  readonly riskClasses?: Readonly<Record<string, RiskClass>> | undefined;
  /** Denies services of the catalogue that no rule allows. */
  readonly sanctionedOnly?: boolean | undefined;
  readonly lists?: readonly DomainList[] | undefined;
  readonly rules: readonly Rule[];
  /** The file lacks the key `rules`, as a truncated file would. */
  readonly rulesLeftOut?: true | undefined;
  readonly exceptions: readonly Exception[];
  readonly pauses?: readonly Pause[] | undefined;
  readonly defaults: {
    /** For hosts that no rule names and the catalogue does not know. */
    readonly unlisted: Effect;
    /** For hosts of the catalogue that no rule names. */
    readonly catalogue: Effect;
    /** For hosts of the catalogue that no rule names and whose model's maker is unknown; absent: as `catalogue`. */
    readonly unknownModel?: Effect | undefined;
    readonly manner: Manner;
    readonly redirect: 'page' | 'immediate';
    /** For raw addresses in a CONNECT whose ClientHello names no host. */
    readonly rawAddress: Effect;
    /** For tunnels whose ClientHello hides the real one. Absent: `deny` if anything but raw addresses is denied. */
    readonly ech?: 'allow' | 'deny' | undefined;
    /** Public names of encrypted hellos, besides the known ones. */
    readonly echPublicNames?: readonly Hostname[] | undefined;
    /** Absent: `keep`. */
    readonly onChange?: OnChange | undefined;
  };
}
