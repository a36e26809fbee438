/**
 * The nouns of the product: what travels from station to station. Types only.
 *
 * One attempt is first an {@link Arrival}, then {@link Asked} (who asks for which AI service), then {@link Decided}
 * (what the policy says and what will be done), then {@link Finished}. Each step returns a wider type, so that no
 * station can run early and nothing in between is optional.
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
  /** 96 random bits in hexadecimal: the id that answers, pages and log lines bear. */
  readonly id: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
  /** Monotonic clock, milliseconds; for durations. */
  readonly started: number;
  /** The address of the peer on the proxy port, IPv4-mapped forms unwrapped. */
  readonly clientAddress: string;
  readonly clientPort: number;
  /** The name that the client has proved to have, where it was asked for one. */
  readonly user?: string | undefined;
  /** What a trusted proxy before this one calls the groups of the client. */
  readonly forwarded?: readonly string[] | undefined;
  readonly target: Target;
  readonly userAgent: string;
}

/** A CONNECT whose answer has not been written yet (RFC 9110, section 9.3.6). */
export interface TunnelArrival extends ArrivalBase {
  readonly kind: 'tunnel';
  /** Paused. What the client sent behind the CONNECT head is in `early`, not in the socket. */
  readonly socket: Socket;
  readonly early: Buffer;
}

/** What a readable request says of itself, whichever HTTP version carried it. */
export interface RequestFacts {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly httpVersion: '1.0' | '1.1' | '2.0';
  /** Path with query, origin-form (RFC 9112, section 3.2.1). Records keep the path only. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** A person's browser asks for a page: the one case that may be redirected. */
  readonly navigation: boolean;
}

/** The tunnel that a request came through, whose requests are read here: TLS that ended here, or HTTP in the clear. */
export interface OuterTunnel {
  readonly id: string;
  /** The name that the client believes to talk to: the leaf was made for it. */
  readonly target: Target;
  /** Null for an allowed tunnel that speaks HTTP in the clear: each of its requests is judged by itself. */
  readonly denial: Denial | null;
  /** Who opened it: the user of all that comes through it. */
  readonly user?: string | undefined;
  readonly forwarded?: readonly string[] | undefined;
}

export interface RequestArrival extends ArrivalBase {
  readonly kind: 'request';
  readonly facts: RequestFacts;
  readonly req: IncomingMessage | Http2ServerRequest;
  readonly res: ServerResponse | Http2ServerResponse;
  /** Null for a request that came in the clear on the proxy port. */
  readonly tunnel: OuterTunnel | null;
}

/**
 * A request in a denied tunnel that came whole and alone on its connection, and whose head was read here: all that can be
 * done about it is to answer, or to reset.
 */
export interface LoneArrival extends ArrivalBase {
  readonly kind: 'request';
  readonly facts: RequestFacts;
  /** What still comes is dropped. */
  readonly socket: Duplex;
  readonly tunnel: OuterTunnel;
}

/** A request to switch protocols (WebSocket), HTTP/1.1 only (RFC 9110, section 7.8). */
export interface UpgradeArrival extends ArrivalBase {
  readonly kind: 'upgrade';
  readonly facts: RequestFacts;
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  readonly early: Buffer;
  readonly tunnel: OuterTunnel | null;
}

/** What arrived and could not become an Arrival: there is no valid target, or no room. */
export interface Rejected {
  readonly id: string;
  readonly at: number;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly code: ErrorCode;
  /** For the log: what was wrong, in one line without anything secret. */
  readonly detail: string;
  /** What was asked for, where it could be read: a client that may not go on, or for which there is no room. */
  readonly asked?: Arrival | undefined;
  /** What a request fromClient of itself where that alone could be read: it names no target. */
  readonly facts?: RequestFacts | undefined;
}

/** What can be answered as a request is, whoever read it. */
export type Answerable = RequestArrival | LoneArrival;

export type Arrival = TunnelArrival | RequestArrival | LoneArrival | UpgradeArrival;

/** The first bytes of a tunnel, as far as they were needed to tell what speaks. */
export type Hello =
  | {
      readonly kind: 'tls';
      /** Null where the client sent none. */
      readonly serverName: Target | null;
      readonly alpn: readonly string[];
      /** There is an encrypted hello inside (RFC 9849), or what looks like one: most browsers always send it. */
      readonly ech: boolean;
      /** Whether a session ticket may be of use to it. */
      readonly resumable: boolean;
      readonly bytes: Buffer;
    }
  | {
      readonly kind: 'other';
      /** `silent`: nobody fromClient anything in time; `server-first`: the server spoke before the client, or closed. */
      readonly why: 'not-tls' | 'malformed-tls' | 'bad-server-name' | 'too-large' | 'silent' | 'server-first' | 'ended';
      readonly bytes: Buffer;
    };

/** Holds a client that is asked for a second hello to the name in its first one (RFC 8446, section 4.1.2). */
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
 * What a client made of the leaf that it was shown: it sent a request; it sent the alert that it knows no such authority,
 * or another one about the certificate; it reset the connection; or it went away without a word.
 */
export type TrustResult = 'accepted' | 'unknown_ca' | 'bad_certificate' | 'reset' | 'silent';

// ---- asked --------------------------------------------------------------------------------------------------------

export interface Client {
  readonly address: string;
  /** The authenticated name, or null. */
  readonly user: string | null;
  /** Ids of the policy's groups that the client is in. */
  readonly groups: ReadonlySet<string>;
}

/** An address in its canonical form, IPv4 where it stands for one, and the service whose own it is. */
export interface Located {
  readonly host: Hostname;
  readonly service: Service | null;
}

/** Null for an address that nothing is known of. */
export type Locate = (address: string) => Located | null;

/** Whether the policy lets an attempt go on to this address. */
export type MayReach = (address: string) => boolean;

/** What is known when a decision is asked for. `hello` is null until a tunnel has spoken. */
export interface Question {
  readonly moment: 'connect' | 'hello' | 'request';
  readonly client: Client;
  readonly target: Target;
  readonly service: Service | null;
  /** The server name of the ClientHello where it is not the target's host, with the service it belongs to. */
  readonly serverName: { readonly host: Hostname; readonly service: Service | null } | null;
  /** Addresses that will be dialled and that something is known of, with the services that have them. */
  readonly dialled?: readonly Located[] | undefined;
  /** The ClientHello has, or seems to have, another one inside. */
  readonly ech?: boolean | undefined;
  readonly navigation: boolean;
  /** The denial that the outer tunnel was intercepted for: a later moment never forgets it. */
  readonly denied: Denial | null;
  /** A call of the catalogue about an account, in a tunnel whose denial lets such pass. */
  readonly accountCall?: boolean | undefined;
}

export interface Asked<A extends Arrival = Arrival> {
  readonly arrival: A;
  readonly question: Question;
}

// ---- decided ------------------------------------------------------------------------------------------------------

/** All that an answer needs to explain a denial. Nothing in it comes from the request but vendor and product. */
export interface Denial {
  readonly rule: string;
  readonly reason: string;
  readonly service: Service | null;
  readonly assistant: Assistant | null;
  readonly manner: Manner;
  readonly redirect: 'page' | 'immediate';
  /** Where to ask: a ticket or request-access link from the rule, or null. */
  readonly link: string | null;
  /** Where the reason is set out at length. */
  readonly details?: string | undefined;
  /** Who answers for the rule. */
  readonly owner?: string | undefined;
  /** Since when the rule holds, epoch milliseconds, or null. */
  readonly since: number | null;
  /** The reason by language, where it is written in more than one. */
  readonly reasons?: Texts | undefined;
  /** Has browsers drop what the denied site has stored in them, so that no service worker keeps it alive. */
  readonly clearSiteData?: boolean | undefined;
  /** Passes on the few calls without which its client shows an error of its own in place of this denial. */
  readonly letAccountCallsPass?: boolean | undefined;
  /** What becomes of a tunnel that was opened before; absent: `keep`. */
  readonly onChange?: OnChange | undefined;
  /** Where this program's own rule denied: how records call that. */
  readonly error?: ErrorCode | undefined;
}

export type Decision =
  | {
      readonly effect: 'allow' | 'monitor';
      readonly rule: string;
      readonly reason: string;
      /** The exception that allowed it, or the pause without which `rule` had denied it. */
      readonly exception?: string | undefined;
      /** The ClientHello hides another one behind a public name, which stands for all hosts of an operator. */
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
  /** Dial at once; answer 200 when connected; relay once the hello has been judged too. */
  | { readonly kind: 'tunnel' }
  /** Answer 200, read the hello, decide again with its server name before anything is dialled. */
  | { readonly kind: 'listen' }
  /** Answer 200 and end TLS here, so that the client can be told why. */
  | { readonly kind: 'intercept'; readonly denial: Denial }
  /** Answer the CONNECT itself with the denial. */
  | { readonly kind: 'refuse'; readonly denial: Denial }
  /** End the connection by RST. */
  | { readonly kind: 'reset'; readonly error?: ErrorCode | undefined }
  /** Pass the request on. */
  | { readonly kind: 'forward' }
  /** Answer the request with the denial, in the form its client shows. */
  | { readonly kind: 'block'; readonly denial: Denial }
  /** 303 to the assistant: only for a navigation, only where the rule says `redirect: immediate`. */
  | { readonly kind: 'redirect'; readonly denial: Denial };

export interface Decided<A extends Arrival = Arrival> extends Asked<A> {
  /** The hash of the policy that decided. */
  readonly policy: string;
  readonly decision: Decision;
  readonly action: Action;
  /** Asked of what is dialled in the end, since a name may lead elsewhere by then; absent: to all alike. */
  readonly mayReach?: MayReach | undefined;
}

/** How an attempt ended. Bytes are counted as the client sent and received them, below any TLS that is not ours. */
export interface Outcome {
  /** `passed`: the origin's bytes; `blocked`: the policy's answer; `failed`: neither, and `error` says why. */
  readonly kind: 'passed' | 'blocked' | 'failed';
  /** What the client got: the name of the answer (`page`, `json`, `anthropic`, `connect`, …) or null. */
  readonly answer: string | null;
  /** HTTP status that the client was sent, or null where it was sent none. */
  readonly status: number | null;
  readonly error: ErrorCode | null;
  /** Bytes from the client. */
  readonly bytesIn: number;
  /** Bytes to the client. */
  readonly bytesOut: number;
  /** The address that was dialled, or null. */
  readonly upstream: { readonly address: string; readonly port: number } | null;
  /** The rule that ended what another had let through before. */
  readonly endedBy?: string | undefined;
}

export interface Finished<A extends Arrival = Arrival> extends Decided<A> {
  readonly outcome: Outcome;
  /** Milliseconds, monotonic. */
  readonly duration: number;
}

// ---- answers ------------------------------------------------------------------------------------------------------

/** A complete, unframed answer. `body` is exact; the writer adds Content-Length, and Connection on HTTP/1. */
export interface Answer {
  /** Which row of the answer table gave it; also the `answer` label of metrics. */
  readonly name: string;
  readonly status: number;
  /** HTTP/1.1 reason phrase: printable ASCII, under 100 characters. */
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Head and body as the writer lays them out, where that was done before. */
  readonly whole?: Whole;
}

export interface Whole {
  readonly bytes: Buffer;
  /** To be called once they are sent: they are written over then, and the body with them. */
  readonly giveBack: () => void;
}
