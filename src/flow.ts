/**
 * The data that stations pass to each other. Types only.
 *
 * An attempt is first an {@link Arrival}, then {@link Asked} (which client wants which AI service), then {@link
 * Decided} (what the policy says and what will be done), then {@link Finished}. Each type adds to the previous one, so
 * the compiler rejects a station that runs too early, and no field is optional only because it is set later.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from './errors.ts';
import type { Assistant, Manner, OnChange, Texts } from './policy.ts';
import type { Hostname, Target, Service } from './terms.ts';

export type * from './policy.ts';
export type * from './terms.ts';

// ---- arrivals -----------------------------------------------------------------------------------------------------

interface ArrivalBase {
  /** 96 random bits in hexadecimal: the id in answers, pages and log lines. */
  readonly id: string;
  /** Wall clock, epoch milliseconds. */
  readonly at: number;
  /** Monotonic clock, milliseconds; for durations. */
  readonly started: number;
  /** The client's address, with IPv4-mapped forms converted. */
  readonly clientAddress: string;
  readonly clientPort: number;
  /** The authenticated user, if authentication is required. */
  readonly user?: string | undefined;
  /** The client's groups as named by a trusted proxy or a directory. */
  readonly forwarded?: readonly string[] | undefined;
  readonly target: Target;
  readonly userAgent: string;
}

/** A CONNECT that has not been answered yet (RFC 9110, section 9.3.6). */
export interface TunnelArrival extends ArrivalBase {
  readonly kind: 'tunnel';
  /** Paused. Bytes received after the CONNECT head are in `early`, not in the socket. */
  readonly socket: Socket;
  readonly early: Buffer;
}

/** A parsed request of any HTTP version. */
export interface RequestFacts {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly httpVersion: '1.0' | '1.1' | '2.0';
  /** Path with query, in origin-form (RFC 9112, section 3.2.1). Records keep only the path. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Whether a browser is navigating to a page; only navigations are ever redirected. */
  readonly navigation: boolean;
}

/** The intercepted tunnel that a request came through: its TLS is terminated here, or it carries plain HTTP. */
export interface OuterTunnel {
  readonly id: string;
  /** The name that the client connects to; the leaf certificate is for it. */
  readonly target: Target;
  /** Null for an allowed tunnel with plain HTTP, whose requests are judged one by one. */
  readonly denial: Denial | null;
  /** The user who opened it; all requests in it count as theirs. */
  readonly user?: string | undefined;
  readonly forwarded?: readonly string[] | undefined;
}

export interface RequestArrival extends ArrivalBase {
  readonly kind: 'request';
  readonly facts: RequestFacts;
  readonly req: IncomingMessage | Http2ServerRequest;
  readonly res: ServerResponse | Http2ServerResponse;
  /** Null for a plain HTTP request to the proxy port. */
  readonly tunnel: OuterTunnel | null;
}

/**
 * A complete request in a denied tunnel with nothing after it, read by our own parser. It can only be answered or
 * reset.
 */
export interface LoneArrival extends ArrivalBase {
  readonly kind: 'request';
  readonly facts: RequestFacts;
  /** Later bytes are dropped. */
  readonly socket: Duplex;
  readonly tunnel: OuterTunnel;
}

/** A request to switch to WebSocket, HTTP/1.1 only (RFC 9110, section 7.8). */
export interface UpgradeArrival extends ArrivalBase {
  readonly kind: 'upgrade';
  readonly facts: RequestFacts;
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  readonly early: Buffer;
  readonly tunnel: OuterTunnel | null;
}

/** A connection or request that ended without a decision, for example with an invalid target or beyond a limit. */
export interface Rejected {
  readonly id: string;
  readonly at: number;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly code: ErrorCode;
  /** For the log: the reason, on one line and without secrets. */
  readonly detail: string;
  /** The arrival, if it was read completely and then refused. */
  readonly asked?: Arrival | undefined;
  /** The parsed request, if there was no complete arrival. */
  readonly facts?: RequestFacts | undefined;
}

/** A request that can be answered, whichever parser read it. */
export type Answerable = RequestArrival | LoneArrival;

export type Arrival = TunnelArrival | RequestArrival | LoneArrival | UpgradeArrival;

/** The first bytes of a tunnel, as far as needed to recognise the protocol. */
export type Hello =
  | {
      readonly kind: 'tls';
      /** Null if the client sent none. */
      readonly serverName: Target | null;
      readonly alpn: readonly string[];
      /** Whether it has the extension for an encrypted hello (RFC 9849), which most browsers always send. */
      readonly ech: boolean;
      /** Whether the client could use a session ticket. */
      readonly resumable: boolean;
      readonly bytes: Buffer;
    }
  | {
      readonly kind: 'other';
      /** `silent`: neither side sent anything in time; `server-first`: the server sent bytes first, or closed. */
      readonly why: 'not-tls' | 'malformed-tls' | 'bad-server-name' | 'too-large' | 'silent' | 'server-first' | 'ended';
      readonly bytes: Buffer;
    };

/** Verifies that a second ClientHello names the same server as the first (RFC 8446, section 4.1.2). */
export interface HelloWatch {
  /**
   * Takes the client's bytes, from the first hello on. Returns those that may be forwarded; null: the name has changed.
   */
  readonly fromClient: (bytes: Buffer) => Buffer | null;
  /**
   * Takes the server's bytes. Returns client bytes that were held back; null: still undecided, or the server requested
   * a second hello.
   */
  readonly fromServer: (bytes: Buffer) => Buffer | null;
  /** Whether no further bytes need to be checked. */
  readonly over: () => boolean;
}

/**
 * The client's reaction to our leaf: it sent a request; it sent an alert about an unknown CA, or another alert about
 * the certificate; it reset the connection; or it closed the connection without an alert.
 */
export type TrustResult = 'accepted' | 'unknown_ca' | 'bad_certificate' | 'reset' | 'silent';

// ---- asked --------------------------------------------------------------------------------------------------------

export interface Client {
  readonly address: string;
  /** The authenticated user, or null. */
  readonly user: string | null;
  /** Ids of the policy's groups and sites that the client is in. */
  readonly groups: ReadonlySet<string>;
}

/** An address in canonical form (the IPv4 address if it embeds one), and the service that owns it. */
export interface Located {
  readonly host: Hostname;
  readonly service: Service | null;
}

/** Null for an address that neither the catalogue nor a denial names. */
export type Locate = (address: string) => Located | null;

/** Whether the policy lets the attempt connect to this address. */
export type MayReach = (address: string) => boolean;

/** What is known when a decision is made. `hello` is null until a tunnel has sent its first bytes. */
export interface Question {
  readonly moment: 'connect' | 'hello' | 'request';
  readonly client: Client;
  readonly target: Target;
  readonly service: Service | null;
  /** The server name of the ClientHello if it differs from the target, with its service. */
  readonly serverName: { readonly host: Hostname; readonly service: Service | null } | null;
  /** Those of the addresses to be dialled that the catalogue or a denial names. */
  readonly dialled?: readonly Located[] | undefined;
  /** Whether the ClientHello contains, or seems to contain, an encrypted one. */
  readonly ech?: boolean | undefined;
  readonly navigation: boolean;
  /** The denial of the CONNECT or of the outer tunnel, which later moments cannot lift. */
  readonly denied: Denial | null;
  /** Whether this is one of the catalogue's account calls, in a tunnel whose denial allows them. */
  readonly accountCall?: boolean | undefined;
}

export interface Asked<A extends Arrival = Arrival> {
  readonly arrival: A;
  readonly question: Question;
}

// ---- decided ------------------------------------------------------------------------------------------------------

/** Everything that an answer needs to explain a denial. All of it but `service` comes from the policy. */
export interface Denial {
  readonly rule: string;
  readonly reason: string;
  readonly service: Service | null;
  readonly assistant: Assistant | null;
  readonly manner: Manner;
  readonly redirect: 'page' | 'immediate';
  /** The rule's link for requesting access, or null. */
  readonly link: string | null;
  /** URL of a longer explanation. */
  readonly details?: string | undefined;
  /** The owner of the rule. */
  readonly owner?: string | undefined;
  /** When the rule came into force, epoch milliseconds, or null. */
  readonly since: number | null;
  /** The reason by language, if it is written in several. */
  readonly reasons?: Texts | undefined;
  /** Makes browsers clear what the denied site has stored, so that no service worker keeps it usable. */
  readonly clearSiteData?: boolean | undefined;
  /** Allows the few calls without which the client would show its own error instead of this denial. */
  readonly letAccountCallsPass?: boolean | undefined;
  /** What happens to tunnels that were already open; absent: `keep`. */
  readonly onChange?: OnChange | undefined;
  /** The error code to record if a built-in rule denied. */
  readonly error?: ErrorCode | undefined;
}

export type Decision =
  | {
      readonly effect: 'allow' | 'monitor';
      readonly rule: string;
      readonly reason: string;
      /** The exception that allowed it, or the pause without which `rule` would have denied it. */
      readonly exception?: string | undefined;
      /** The ClientHello has only a public name, which may stand for any host of its operator. */
      readonly ech?: true | undefined;
    }
  | {
      readonly effect: 'deny';
      readonly rule: string;
      readonly reason: string;
      readonly denial: Denial;
      readonly ech?: true | undefined;
    };

export type Action =
  /** Dial, answer 200 once connected, and relay once the hello has been judged as well. */
  | { readonly kind: 'tunnel' }
  /** Answer 200, read the hello, and decide again with its server name before dialling. */
  | { readonly kind: 'listen' }
  /** Answer 200 and terminate TLS here, so that the client can be told why. */
  | { readonly kind: 'intercept'; readonly denial: Denial }
  /** Answer the CONNECT with the denial. */
  | { readonly kind: 'refuse'; readonly denial: Denial }
  /** End the connection by RST. */
  | { readonly kind: 'reset'; readonly error?: ErrorCode | undefined }
  /** Forward the request. */
  | { readonly kind: 'forward' }
  /** Answer the request with the denial, in a format that its client displays. */
  | { readonly kind: 'block'; readonly denial: Denial }
  /** 303 to the assistant: only for a navigation, and only if the rule says `redirect: immediate`. */
  | { readonly kind: 'redirect'; readonly denial: Denial };

export interface Decided<A extends Arrival = Arrival> extends Asked<A> {
  /** The hash of the policy that decided. */
  readonly policy: string;
  readonly decision: Decision;
  readonly action: Action;
  /**
   * Checked for the address that is finally dialled, as a name may resolve differently by then; absent: any address.
   */
  readonly mayReach?: MayReach | undefined;
}

/** How an attempt ended. Bytes are counted as the client sent and received them, below any TLS that is not ours. */
export interface Outcome {
  /** `passed`: the origin's bytes; `blocked`: the policy's answer; `failed`: neither, and `error` says why. */
  readonly kind: 'passed' | 'blocked' | 'failed';
  /** The name of the answer that the client got (`page`, `json`, `anthropic`, `connect`, …) or null. */
  readonly answer: string | null;
  /** The HTTP status that the client got, or null. */
  readonly status: number | null;
  readonly error: ErrorCode | null;
  /** Bytes from the client. */
  readonly bytesIn: number;
  /** Bytes to the client. */
  readonly bytesOut: number;
  /** The address that was dialled, or null. */
  readonly upstream: { readonly address: string; readonly port: number } | null;
  /** The rule that ended a tunnel which had been let through before. */
  readonly endedBy?: string | undefined;
}

export interface Finished<A extends Arrival = Arrival> extends Decided<A> {
  readonly outcome: Outcome;
  /** Milliseconds, monotonic. */
  readonly duration: number;
}

// ---- answers ------------------------------------------------------------------------------------------------------

/** A complete answer. `body` is sent as it is; the writer adds Content-Length and, for HTTP/1, Connection. */
export interface Answer {
  /** The row of the answer table that it comes from; also the `answer` label of metrics. */
  readonly name: string;
  readonly status: number;
  /** HTTP/1.1 reason phrase: printable ASCII, under 100 characters. */
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Head and body as sent. */
  readonly whole?: Whole;
}

export interface Whole {
  readonly bytes: Buffer;
  /** Must be called once the bytes are sent. Their memory, and that of the body, is then reused. */
  readonly giveBack: () => void;
}
