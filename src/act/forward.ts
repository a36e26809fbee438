/**
 * Passes a readable request on through `http-proxy` and its answer back: one that came in the clear, or one that was
 * decrypted, which goes on in TLS again.
 *
 * The library does what it is good at (one outgoing request for one incoming one) between two guards of ours, because
 * by itself it crashes, smuggles and leaks: it takes the framing off bodies of DELETE and OPTIONS, passes hop-by-hop
 * fields on in both directions, folds double slashes in paths, and does not see that a client has gone.
 */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Stream } from 'node:stream';
import httpProxy from 'http-proxy';
import { upstreamErrorCode, type ErrorCode } from '../errors.ts';
import type { Answer, MayReach, Outcome, RequestArrival } from '../flow.ts';
import { clientSide, type ClientSide } from './client-side.ts';
import { whenCut } from './end-by-close.ts';
import { requestFields, trailerFields } from './fields.ts';
import { limitInterim } from './interim.ts';
import { failedOutcome } from './outcome.ts';
import { createOwnPools } from './own-pool.ts';
import { createPool, createSecurePool, type PoolRequest } from './pool.ts';
import { pour } from './pour.ts';
import type { SecureDialler } from './secure.ts';
import type { Dialler } from './upstream.ts';
import { sendAnswer } from './write.ts';

export interface ForwardOptions {
  readonly dialler: Dialler;
  readonly secure: SecureDialler;
  /** Our pseudonym in `Via`, which no other proxy has. */
  readonly via: string;
  /** Milliseconds without a byte from the origin. */
  readonly idleTimeout: number;
  /** Milliseconds from a request that is whole until the answer begins. */
  readonly responseTimeout: number;
  readonly failed: (code: ErrorCode, arrival: RequestArrival) => Answer;
}

export interface Forward {
  readonly forward: (arrival: RequestArrival, mayReach?: MayReach) => Promise<Outcome>;
  readonly close: () => void;
}

/** `http-proxy` pipes this into its request as soon as that is made: the one moment before its head is sent. */
class Body extends Stream {
  readonly #start: (request: ClientRequest) => void;
  constructor(start: (request: ClientRequest) => void) {
    super();
    this.#start = start;
  }
  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    this.#start(destination as unknown as ClientRequest);
    return destination;
  }
}

function createLibrary(): httpProxy {
  // The path is set when the request is made; these two keep the library from parsing it first.
  const proxy = httpProxy.createProxyServer({ selfHandleResponse: true, ignorePath: true, toProxy: true });
  // This pass deletes Transfer-Encoding and then sends the chunked body bare.
  const passes = proxy as unknown as { webPasses: { name: string }[] };
  passes.webPasses = passes.webPasses.filter((pass) => pass.name === 'stream');
  proxy.on('error', () => undefined);
  proxy.on('econnreset', () => undefined);
  return proxy;
}

const safeToRepeat = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * What the library reads of a request; it must not listen to the request itself, and what HTTP/2 hands over it could
 * not read. That a client has gone is seen by its response.
 */
function facade(method: string, headers: IncomingHttpHeaders): IncomingMessage {
  const read = { method, headers, socket: { destroyed: false }, on: () => undefined };
  return read as unknown as IncomingMessage;
}

export function createForward(options: ForwardOptions): Forward {
  const library = createLibrary();
  const plain = createPool(options.dialler);
  const secure = createSecurePool(options.secure);
  const poolOf = createOwnPools();

  const once = (
    arrival: RequestArrival,
    client: ClientSide,
    fields: IncomingHttpHeaders,
    mayReach?: MayReach,
  ): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      const { target, facts, req, res } = arrival;
      const agent =
        facts.scheme === 'https'
          ? poolOf(arrival, secure, () => createSecurePool(options.secure))
          : poolOf(arrival, plain, () => createPool(options.dialler));
      // A client of HTTP/1.0 would take "100 Continue" for the answer (RFC 9110, section 10.1.1).
      const expects = facts.httpVersion !== '1.0' && facts.headers.expect?.toLowerCase() === '100-continue';
      let request: ClientRequest | null = null;
      let upstream: Outcome['upstream'] = null;
      let error: ErrorCode | null = null;
      let status: number | null = null;
      let repeated = false;
      let closed = false;

      const fail = (code: ErrorCode): void => {
        if (error !== null) return;
        error = code;
        request?.destroy();
        if (res.headersSent) {
          client.cut();
          return;
        }
        const answer = options.failed(code, arrival);
        status = answer.status;
        sendAnswer(req, res, answer).catch(reject);
      };

      const onFailure = (cause: unknown): void => {
        // An origin may answer before it has read the whole body, and close: the answer counts.
        if (status !== null) return;
        const stale = request?.reusedSocket === true && !repeated;
        if (stale && safeToRepeat.has(facts.method) && !client.body && !closed) {
          // The origin closed a kept connection just then; nothing of an answer was seen (RFC 9112, section 9.3.1).
          repeated = true;
          send();
        } else fail(upstreamErrorCode(cause));
      };

      const start = (outgoing: ClientRequest): void => {
        request = outgoing;
        outgoing.path = facts.path;
        outgoing.maxHeadersCount = 0; // as many as fit into a head
        outgoing.once('socket', (socket) => {
          const address = socket.remoteAddress ?? '';
          // A kept connection may come from a request that was allowed more, or from when the name led elsewhere. Nothing
          // has been written to it yet.
          if (mayReach?.(address) === false) fail('destination_prohibited');
          else upstream = { address, port: target.port };
        });
        limitInterim(outgoing, () => fail('upstream_protocol_error'));
        outgoing.setTimeout(options.idleTimeout, () => fail('idle_timeout'));
        // Nobody asked to switch protocols; without a listener Node would drop the connection and say nothing.
        outgoing.once('upgrade', (_answer, socket) => {
          socket.destroy();
          fail('upstream_protocol_error');
        });
        outgoing.once('finish', () => {
          const late = setTimeout(() => fail('response_timeout'), options.responseTimeout);
          outgoing.once('response', () => clearTimeout(late)).once('close', () => clearTimeout(late));
        });
        outgoing.once('response', (answer) => {
          // Without an Upgrade field Node.js takes 101 for the final answer; the one that follows it would then be taken
          // for the answer to the next request on the connection.
          if (answer.statusCode === 101) {
            fail('upstream_protocol_error');
            return;
          }
          status = answer.statusCode ?? null;
          answer.once('error', () => fail('connection_terminated'));
          whenCut(outgoing, answer, () => fail('connection_terminated'));
          try {
            client.answer(answer);
          } catch (cause) {
            fail(upstreamErrorCode(cause));
          }
        });
        if (req.complete || (!client.body && !client.unmeasured)) {
          // Nothing to wait for: a pipe would cost more than all the rest of it.
          outgoing.end();
          req.resume();
          return;
        }
        req.once('end', () => {
          const trailers = trailerFields(req);
          if (trailers.length > 0) outgoing.addTrailers(trailers);
          outgoing.end();
        });
        if (expects) {
          outgoing.once('continue', () => res.writeContinue());
          outgoing.setHeader('Expect', '100-continue');
          outgoing.flushHeaders();
        }
        pour(req, outgoing);
      };

      const send = (): void => {
        const to = { protocol: `${facts.scheme}:`, host: target.host, port: target.port };
        try {
          const asked = facade(facts.method, fields);
          // The library makes what it asks `node:http` for from this object, whatever is in it.
          const ssl: PoolRequest = { mayReach, answer: res };
          library.web(asked, res as ServerResponse, { target: to, agent, ssl, buffer: new Body(start) }, onFailure);
        } catch (cause) {
          fail(upstreamErrorCode(cause));
        }
      };

      res.once('close', () => {
        closed = true;
        if (!client.whole()) error ??= 'client_closed';
        request?.destroy();
        const bytes = client.bytes();
        resolve({
          kind: error === null ? 'passed' : 'failed',
          answer: null,
          status,
          error,
          bytesIn: bytes.in,
          bytesOut: bytes.out,
          upstream,
        });
      });
      send();
    });

  return {
    async forward(arrival, mayReach) {
      const { req, res } = arrival;
      // The client went away while its name was looked up, and the event that would end the attempt has been and gone.
      if ('stream' in req ? req.stream.destroyed : req.socket.destroyed) return failedOutcome('client_closed', null);
      const client = clientSide(arrival, options.via);
      let fields: IncomingHttpHeaders;
      try {
        fields = requestFields(arrival, options.via);
        // HTTP/1.1 has no other way to say that a body comes (RFC 9112, section 6.3).
        if (client.unmeasured) fields['transfer-encoding'] = 'chunked';
      } catch (error) {
        const code = upstreamErrorCode(error);
        const answer = options.failed(code, arrival);
        const bytesOut = await sendAnswer(req, res, answer);
        return failedOutcome(code, answer.status, bytesOut);
      }
      return once(arrival, client, fields, mayReach);
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}
