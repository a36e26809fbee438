/** Hosts and the catalogue of AI services. Types only; `flow.ts` re-exports them. */

// ---- names and addresses ------------------------------------------------------------------------------------------

declare const hostname: unique symbol;
/**
 * A host in canonical form: a lower-case A-label name without trailing dot, a dotted IPv4 address, or a compressed IPv6
 * address without brackets. Made only by `listen/target.ts`.
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

/** The API dialect, which determines the format of an error. */
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
 * How to determine whose model answers behind a host. `host`: it is always `vendor`'s; `path`, `header`, `body`: from
 * the request, and unknown until it is read; `nothing`: not even from the request (an opaque deployment id).
 */
export interface Model {
  readonly by: 'host' | 'path' | 'header' | 'body' | 'nothing';
  /** Vendor id; null unless `by` is `host`. */
  readonly vendor: string | null;
  readonly paths: readonly ModelPath[];
  /** Considered if no path matches. */
  readonly headers?: readonly ModelHeader[] | undefined;
}

/** A request header that names the maker of the model: `maker`, `maker/model`, or a URL of the vendor. */
export interface ModelHeader {
  /** Lower-case. */
  readonly name: string;
  /** Vendor ids by the channel's names for makers, in lower case. */
  readonly makers: Readonly<Record<string, string>>;
}

/** A path that names the maker of the model. */
export interface ModelPath {
  /**
   * Segments: fixed text, `text*`, `*` for any segment, a final `**` for any rest, and one of the placeholders below.
   */
  readonly segments: readonly string[];
  /** The vendor, if the fixed text determines it; otherwise the placeholder `{maker}` or `{model-id}` does. */
  readonly vendor: string | null;
  /** Vendor ids by the channel's names for makers. */
  readonly makers: Readonly<Record<string, string>>;
}

/**
 * Text, or a placeholder: `name` is letters, digits and hyphens; `region` contains a hyphen and begins with a letter.
 */
export type LabelPart = { readonly text: string } | { readonly place: 'name' | 'region' | 'digits' };

/** Hosts with a variable part within a label, such as `us-east5-aiplatform.googleapis.com`. */
export interface HostTemplate {
  /** As written in the catalogue, for display. */
  readonly template: string;
  /** Whether further labels may precede the first. */
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
  /** `suffix`: the host and its subdomains; `exact`: only the host. */
  readonly match: 'suffix' | 'exact';
  readonly host: Hostname;
  readonly role: string;
  /** If the host speaks another dialect than its product. */
  readonly wire?: Wire | undefined;
  /** If it differs from the product's. */
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
  /** CIDR blocks that belong to this product alone. */
  readonly addresses?: readonly string[] | undefined;
  /** The vendor that runs the hosts, if it is not the one that sells the product. */
  readonly operator?: string | undefined;
  readonly model?: Model | undefined;
  /** Parts of hosts that carry other traffic as well: recognised in a request, never at a CONNECT. */
  readonly shared?: readonly SharedPart[] | undefined;
  readonly accountCalls?: readonly AccountCall[] | undefined;
  /** Products, as `vendor/product`, to whose hosts this product's clients send their model calls. */
  readonly modelCalls?: readonly string[] | undefined;
}

/** A request that must succeed for the product's client to show a denial rather than its own error. */
export interface AccountCall {
  readonly host: Hostname;
  readonly methods: readonly string[];
  /** Exact paths, with any query. */
  readonly paths: readonly string[];
}

export type SharedPart = {
  /** Prefixes of the path, at segment boundaries; `*` stands for one segment. */
  readonly paths: readonly string[];
  /** Header fields that mark the part, one of which must be present. Names are in lower case. */
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
  /** The host's function for the product: app, api, auth, cdn, … */
  readonly role: string;
  readonly tags: readonly string[];
  /** The vendor that runs the host, if it is not `vendor`. Rules about it apply as well. */
  readonly operator?: string | undefined;
  /** The vendor whose model answers, or null if that is not known (yet). Rules about it apply as well. */
  readonly model?: string | null | undefined;
  /** How the model's vendor is determined. */
  readonly modelBy?: Model['by'] | undefined;
  /** The host that a translator, a reader or a wildcard DNS name stands for, if the service is that host's. */
  readonly carried?: Hostname | undefined;
}
