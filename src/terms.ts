/** What is written down: hosts and the catalogue of AI services. Types only; `flow.ts` passes them on with what travels. */

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
  | 'huggingface'
  | 'ollama'
  | 'assemblyai'
  | 'perplexity'
  | 'copilot'
  | 'amp'
  | 'augment'
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
  /** Products, as `vendor/product`, to whose hosts its own clients' model calls go. */
  readonly modelCalls?: readonly string[] | undefined;
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
