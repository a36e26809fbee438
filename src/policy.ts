/** The policy, as it is written. Types only; `flow.ts` passes them on with what travels. */
import type { Channel, Hostname } from './terms.ts';

export type Effect = 'allow' | 'deny' | 'monitor';

/** How a denial is delivered: inside TLS in the client's own language, as the answer to the CONNECT, or by RST. */
export type Manner = 'intercept' | 'refuse' | 'reset';

/** One text in several languages, by language tag (RFC 5646) in canonical form: `en`, `zh`, `pt-BR`. */
export type Texts = Readonly<Record<string, string>>;

export interface Assistant {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  /** How to move over from what was denied: by `vendor/product`, or by `vendor` for all the others of it. */
  readonly migrations?: Readonly<Record<string, Texts>> | undefined;
}

/** What a rule is about. All that is given must hold; an empty list never occurs. */
export interface What {
  readonly vendors?: readonly string[] | undefined;
  /** `vendor/product`. */
  readonly products?: readonly string[] | undefined;
  readonly channels?: readonly Channel[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Ids of the policy's risk classes. */
  readonly risks?: readonly string[] | undefined;
  /** `example.com` is the name and everything below it; `=example.com` only the name. */
  readonly domains?: readonly string[] | undefined;
  /** Ids of external lists; a host fits where one of `domains` or a list covers it. */
  readonly lists?: readonly string[] | undefined;
}

/** Domains that others keep, a million perhaps. Their content is no part of the document. */
export interface DomainList {
  readonly id: string;
  /** Absolute path: of the list itself, or of the last good copy of what was fetched. */
  readonly file: string;
  /** Where it is fetched from; null: it is a file. */
  readonly url: string | null;
  readonly format: 'auto' | 'plain' | 'hosts' | 'adblock';
  /** Milliseconds from one fetch to the next. */
  readonly refresh: number;
  /** Of the content, unpacked. */
  readonly maxBytes: number;
  /** What the content must have, hexadecimal; null: any. */
  readonly sha256: string | null;
}

/** What the clocks of a place show, beside UTC. */
export interface Zone {
  /** IANA name. */
  readonly name: string;
  /** Milliseconds that the clocks are ahead of UTC before the first change. */
  readonly first: number;
  /** In order: from `at`, epoch milliseconds, the clocks are `offset` milliseconds ahead of UTC. */
  readonly changes: readonly { readonly at: number; readonly offset: number }[];
}

/** A part of some days of the week, by the clocks of a place. It belongs to the day that it begins on. */
export interface Window {
  /** Bit 0 is Monday, bit 6 Sunday. */
  readonly days: number;
  /** Minutes since midnight. */
  readonly start: number;
  /** Minutes since the same midnight: more than 1440 where it ends on the next day. */
  readonly end: number;
}

/** When in a week something holds. */
export interface Schedule {
  readonly zone: Zone;
  /** At least one. */
  readonly windows: readonly Window[];
  /** Days since 1 January 1970, by the clocks of the place. */
  readonly holidays: ReadonlySet<number>;
  /** What begins on a holiday: as on any other day, not at all, or on holidays only. */
  readonly onHolidays: 'as-usual' | 'except' | 'only';
}

/** What becomes of a tunnel that is open when a denial comes into force: nothing; it ends after some time; at once. */
export type OnChange = 'keep' | 'drain' | 'cut';

export interface Rule {
  readonly id: string;
  readonly what: What;
  /** Groups that the rule is for; absent: everyone. */
  readonly groups?: readonly string[] | undefined;
  /** Sites that it is for; absent: everywhere. */
  readonly sites?: readonly string[] | undefined;
  /** Epoch milliseconds, inclusive. */
  readonly from?: number | undefined;
  /** Epoch milliseconds, exclusive. */
  readonly until?: number | undefined;
  /** Absent: at all times between `from` and `until`. */
  readonly schedule?: Schedule | undefined;
  readonly effect: Effect;
  /** For logs and for clients that name no language. */
  readonly reason: string;
  /** The reason in each language that it is written in, where it is in more than one. */
  readonly reasons?: Texts | undefined;
  readonly assistant?: string | undefined;
  readonly manner?: Manner | undefined;
  readonly redirect?: 'page' | 'immediate' | undefined;
  /** Where to ask for access. */
  readonly link?: string | undefined;
  /** Where the reason is set out at length. */
  readonly details?: string | undefined;
  /** Who answers for the rule. */
  readonly owner?: string | undefined;
  /** Has browsers drop what the denied site has stored in them. */
  readonly clearSiteData?: boolean | undefined;
  /** Passes on the catalogue's {@link AccountCall}s of what the rule denies. */
  readonly letAccountCallsPass?: boolean | undefined;
  /** For tunnels that were opened before it denied them; absent: what the policy says by default. */
  readonly onChange?: OnChange | undefined;
}

export interface Exception {
  readonly id: string;
  readonly what: What;
  /** Groups that it is for, and by `user:NAME` and `network:CIDR` single users and networks. */
  readonly groups?: readonly string[] | undefined;
  readonly sites?: readonly string[] | undefined;
  readonly from?: number | undefined;
  readonly until: number;
  readonly schedule?: Schedule | undefined;
  readonly approvedBy: string;
  readonly ticket?: string | undefined;
  readonly reason: string;
}

/** Who is in a group: whoever any of these fits. */
export interface Group {
  /** CIDR blocks and addresses. */
  readonly networks: readonly string[];
  /** Names that clients have proved to have. */
  readonly users: readonly string[];
  /** What a trusted proxy before this one calls the group. */
  readonly forwarded: readonly string[];
}

/** A place: networks with a name. Clients are in it as they are in a group; the two share their ids. */
export interface Site {
  readonly networks: readonly string[];
  /** Id of the assistant of its clients, where neither the rule nor a choice names one. */
  readonly assistant?: string | undefined;
}

/** How risky a company finds services: those that any of the fields names. */
export type RiskClass = Pick<What, 'vendors' | 'products' | 'channels' | 'tags'>;

/** Whom to send where; see {@link PolicyDocument.assistantFor}. */
export interface AssistantChoice {
  readonly what: What;
  readonly groups?: readonly string[] | undefined;
  readonly sites?: readonly string[] | undefined;
  /** Id. */
  readonly assistant: string;
}

/** While it holds, what is denied of a vendor is let through and counted instead. */
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
  /** IANA name; dates for people are in it. Absent: the machine's. */
  readonly timeZone?: string | undefined;
  readonly assistants: readonly Assistant[];
  /** Id of the assistant of rules that name none; null: a denial names no way on. */
  readonly defaultAssistant: string | null;
  /** In order: the first that fits is the assistant of rules that name none. */
  readonly assistantFor?: readonly AssistantChoice[] | undefined;
  readonly groups: Readonly<Record<string, Group>>;
  readonly sites?: Readonly<Record<string, Site>> | undefined;
  readonly riskClasses?: Readonly<Record<string, RiskClass>> | undefined;
  /** Services of the catalogue that no rule lets through are denied. */
  readonly sanctionedOnly?: boolean | undefined;
  readonly lists?: readonly DomainList[] | undefined;
  readonly rules: readonly Rule[];
  /** Its file says nothing of rules, as one that lost its end. */
  readonly rulesLeftOut?: true | undefined;
  readonly exceptions: readonly Exception[];
  readonly pauses?: readonly Pause[] | undefined;
  readonly defaults: {
    /** For hosts that no rule names and the catalogue does not know. */
    readonly unlisted: Effect;
    /** For hosts of the catalogue that no rule names. */
    readonly catalogue: Effect;
    /** For hosts of the catalogue that no rule names and whose model's maker is not known; absent: as `catalogue`. */
    readonly unknownModel?: Effect | undefined;
    readonly manner: Manner;
    readonly redirect: 'page' | 'immediate';
    /** Raw addresses in a CONNECT whose ClientHello names no host. */
    readonly rawAddress: Effect;
    /** Tunnels whose ClientHello hides the one that counts. Absent: `deny` where anything but raw addresses is. */
    readonly ech?: 'allow' | 'deny' | undefined;
    /** Server names behind which hellos are hidden, beside those that are known. */
    readonly echPublicNames?: readonly Hostname[] | undefined;
    /** Absent: `keep`. */
    readonly onChange?: OnChange | undefined;
  };
}
