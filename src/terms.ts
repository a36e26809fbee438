/**
 * What is written down: hosts, the catalogue of AI services, and the policy. Types only; `flow.ts` passes them on with
 * what travels.
 */

// ---- names and addresses ------------------------------------------------------------------------------------------

declare const hostname: unique symbol;
/**
 * A host in its one canonical form: a lower-case A-label name without trailing dot, a dotted IPv4 address, or a
 * compressed IPv6 address without brackets. Made only by `listen/target.ts`.
 */
export type Hostname = string & { readonly [hostname]: true };

export type HostKind = 'name' | 'ipv4' | 'ipv6';

export interface Target {
  readonly host: Hostname;
  readonly kind: HostKind;
  /** 1 to 65535. */
  readonly port: number;
}

// ---- the catalogue ------------------------------------------------------------------------------------------------

export type ProductKind =
  'chat' | 'api' | 'coding-agent' | 'ide' | 'image' | 'video' | 'voice' | 'search' | 'gateway' | 'cloud-resale';

/** Who runs the host: the vendor itself, a cloud that resells the model, or a reseller or relay. */
export type Channel = 'direct' | 'cloud' | 'reseller';

/** The API dialect, which chooses the shape of an error answer. */
export type Wire =
  | 'anthropic'
  | 'openai'
  | 'gemini'
  | 'bedrock'
  | 'azure'
  | 'mistral'
  | 'cohere'
  | 'dashscope'
  | 'openrouter'
  | 'copilot'
  | 'qoder'
  | 'none';

/**
 * Whose model answers behind a host. `host`: always that of `vendor`; `path`, `header`, `body`: the request tells, and
 * until it is read the vendor is unknown; `nothing`: not even the request tells (an opaque deployment id).
 */
export interface Model {
  readonly by: 'host' | 'path' | 'header' | 'body' | 'nothing';
  /** Vendor id; null unless `by` is `host`. */
  readonly vendor: string | null;
  readonly paths: readonly ModelPath[];
  /** Asked where no path tells. */
  readonly headers?: readonly ModelHeader[] | undefined;
}

/** A request header that names the maker of the model: `maker`, `maker/model`, or a URL of the vendor that is meant. */
export interface ModelHeader {
  /** Lower-case. */
  readonly name: string;
  /** The channel's words for makers, lower-case, to vendor ids. */
  readonly makers: Readonly<Record<string, string>>;
}

/** A path that names the maker of the model. */
export interface ModelPath {
  /** Segments: fixed text, `text*`, `*` for any one, a last `**` for all that follow, and one of the places below. */
  readonly segments: readonly string[];
  /** The vendor, where the fixed text tells it; else the place `{maker}` or `{model-id}` does. */
  readonly vendor: string | null;
  /** The channel's words for makers, to vendor ids. */
  readonly makers: Readonly<Record<string, string>>;
}

/** Text, or a place: `name` is letters, digits and hyphens; `region` has a hyphen inside and begins with a letter. */
export type LabelPart = { readonly text: string } | { readonly place: 'name' | 'region' | 'digits' };

/** Hosts that differ in the middle of a label, such as `us-east5-aiplatform.googleapis.com`. */
export interface HostTemplate {
  /** As it is written, for people. */
  readonly template: string;
  /** Other labels may stand before the first. */
  readonly below: boolean;
  /** The labels before the tail, from the left. */
  readonly labels: readonly (readonly LabelPart[])[];
  /** The fixed labels at the end, at least two. */
  readonly tail: string;
  readonly role: string;
  readonly wire?: Wire | undefined;
  readonly model?: Model | undefined;
}

export interface HostPattern {
  /** `suffix`: the host and everything below it, on a label boundary; `exact`: only the host. */
  readonly match: 'suffix' | 'exact';
  readonly host: Hostname;
  readonly role: string;
  /** Where the host speaks another dialect than its product. */
  readonly wire?: Wire | undefined;
  /** Where another vendor's model answers than elsewhere in the product. */
  readonly model?: Model | undefined;
}

export interface Product {
  readonly id: string;
  readonly name: string;
  readonly kind: ProductKind;
  readonly channel: Channel;
  readonly wire: Wire;
  readonly tags: readonly string[];
  readonly hosts: readonly HostPattern[];
  readonly templates?: readonly HostTemplate[] | undefined;
  /** CIDR blocks that belong to the product alone. */
  readonly addresses?: readonly string[] | undefined;
  /** The vendor that runs the hosts, where it is another than the one that sells the product. */
  readonly operator?: string | undefined;
  readonly model?: Model | undefined;
  /** Parts of hosts that carry other traffic too: known at a readable request, never at a CONNECT. */
  readonly shared?: readonly SharedPart[] | undefined;
  readonly accountCalls?: readonly AccountCall[] | undefined;
}

/** A request without which a product's client shows an error of its own in place of a denial. */
export interface AccountCall {
  readonly host: Hostname;
  readonly methods: readonly string[];
  /** Exactly these, whatever the query. */
  readonly paths: readonly string[];
}

export type SharedPart = {
  /** Beginnings of the path, at a segment boundary; `*` stands for one segment. */
  readonly paths: readonly string[];
  /** Header fields that mark the part; one of them must be there. Names are lower-case. */
  readonly headers?: readonly { readonly name: string; readonly value: string }[] | undefined;
} & (
  | { readonly match: 'suffix' | 'exact'; readonly host: Hostname }
  | { readonly match: 'template'; readonly template: HostTemplate }
);

/** One file of `config/vendors/`. */
export interface Vendor {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly products: readonly Product[];
}

/** The AI service that a host belongs to. */
export interface Service {
  readonly vendor: string;
  readonly vendorName: string;
  readonly product: string;
  readonly productName: string;
  readonly kind: ProductKind;
  readonly channel: Channel;
  readonly wire: Wire;
  /** What the host does for the product: app, api, auth, cdn, … */
  readonly role: string;
  readonly tags: readonly string[];
  /** The vendor that runs the host, where it is another than `vendor`. Rules about it hold as well. */
  readonly operator?: string | undefined;
  /** The vendor whose model answers, or null where that is not known (yet). Rules about it hold as well. */
  readonly model?: string | null | undefined;
  /** What tells the model's vendor. */
  readonly modelBy?: Model['by'] | undefined;
  /** The host that a translator, a reader or a wildcard DNS name carries, where the service is that one's. */
  readonly carried?: Hostname | undefined;
}

// ---- policy, as it is written -------------------------------------------------------------------------------------

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
  /** `example.com` is the name and everything below it; `=example.com` only the name. */
  readonly domains?: readonly string[] | undefined;
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
  readonly link?: string | undefined;
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
  readonly groups?: readonly string[] | undefined;
  readonly from?: number | undefined;
  readonly until: number;
  readonly schedule?: Schedule | undefined;
  readonly approvedBy: string;
  readonly ticket?: string | undefined;
  readonly reason: string;
}

export interface PolicyDocument {
  /** IANA name; dates for people are in it. Absent: the machine's. */
  readonly timeZone?: string | undefined;
  readonly assistants: readonly Assistant[];
  /** Id of the assistant of rules that name none; null: a denial names no way on. */
  readonly defaultAssistant: string | null;
  /** Group id to CIDR blocks and addresses. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly rules: readonly Rule[];
  readonly exceptions: readonly Exception[];
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
    /** Absent: `keep`. */
    readonly onChange?: OnChange | undefined;
  };
}
