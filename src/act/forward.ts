/**
 * Plain HTTP: passes a request on through `http-proxy` and its answer back.
 *
 * The library does what it is good at (one outgoing request for one incoming one) between two guards of ours, because
 * by itself it crashes, smuggles and leaks: it takes the framing off bodies of DELETE and OPTIONS, passes hop-by-hop
 * fields on in both directions, folds double slashes in paths, and does not see that a client has gone.
 */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Stream } from 'node:stream';
import httpProxy from 'http-proxy';
import { SallyportError, upstreamErrorCode, type ErrorCode } from '../errors.ts';
import type { Answer, Outcome, RequestArrival } from '../flow.ts';
import { requestFields, responseFields, trailerFields } from './fields.ts';
import { createPool } from './pool.ts';
import type { Dialler } from './upstream.ts';
import { reset } from '../reset.ts';
import { drained, sendAnswer } from './write.ts';

export interface ForwardOptions {
  readonly dialler: Dialler;
  /** Our pseudonym in `Via`, which no other proxy has. */
  readonly via: string;
  /** Milliseconds without a byte from the origin. */
  readonly idleTimeout: number;
  readonly failed: (code: ErrorCode, arrival: RequestArrival) => Answer;
}

export interface Forward {
  readonly forward: (arrival: RequestArrival) => Promise<Outcome>;
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

function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
}

const safeToRepeat = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** @throws {SallyportError} where the answer cannot be passed on as HTTP. */
function passBack(answer: IncomingMessage, res: ServerResponse, via: string): void {
  const fields = responseFields(answer, via);
  if (!res.req.complete) res.shouldKeepAlive = false;
  try {
    res.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', fields);
  } catch (error) {
    throw new SallyportError('upstream_protocol_error', 'a header field of the answer is not valid', { cause: error });
  }
  answer.once('end', () => {
    const trailers = trailerFields(answer);
    if (trailers.length > 0) res.addTrailers(trailers);
    // The origin may have answered without reading it all: the client must get to see that answer.
    void drained(res.req).then(() => res.end());
  });
  answer.pipe(res, { end: false });
}

export function createForward(options: ForwardOptions): Forward {
  const library = createLibrary();
  const agent = createPool(options.dialler);

  const once = (
    arrival: RequestArrival,
    req: IncomingMessage,
    res: ServerResponse,
    fields: IncomingHttpHeaders,
  ): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      const { target, facts } = arrival;
      // A client of HTTP/1.0 would take "100 Continue" for the answer (RFC 9110, section 10.1.1).
      const expects = facts.httpVersion === '1.1' && facts.headers.expect?.toLowerCase() === '100-continue';
      const before = { in: req.socket.bytesRead, out: req.socket.bytesWritten };
      const client = req.socket;
      let request: ClientRequest | null = null;
      let upstream: Outcome['upstream'] = null;
      let error: ErrorCode | null = null;
      let status: number | null = null;
      let repeated = false;

      const fail = (code: ErrorCode): void => {
        if (error !== null) return;
        error = code;
        request?.destroy();
        if (res.headersSent) {
          reset(client); // half an answer must not look whole
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
        if (stale && safeToRepeat.has(facts.method) && !hasBody(req) && !res.destroyed) {
          // The origin closed a kept connection just then; nothing of an answer was seen (RFC 9112, section 9.3.1).
          repeated = true;
          send();
        } else fail(upstreamErrorCode(cause));
      };

      const start = (outgoing: ClientRequest): void => {
        request = outgoing;
        outgoing.path = facts.path;
        outgoing.once('socket', (socket) => {
          upstream = { address: socket.remoteAddress ?? '', port: target.port };
        });
        outgoing.setTimeout(options.idleTimeout, () => fail('idle_timeout'));
        // Nobody asked to switch protocols; without a listener Node would drop the connection and say nothing.
        outgoing.once('upgrade', (_answer, socket) => {
          socket.destroy();
          fail('upstream_protocol_error');
        });
        outgoing.once('response', (answer) => {
          status = answer.statusCode ?? null;
          answer.once('error', () => fail('connection_terminated'));
          try {
            passBack(answer, res, options.via);
          } catch (cause) {
            fail(upstreamErrorCode(cause));
          }
        });
        req.once('end', () => {
          const trailers = trailerFields(req);
          if (trailers.length > 0) outgoing.addTrailers(trailers);
        });
        if (expects) {
          outgoing.once('continue', () => res.writeContinue());
          outgoing.setHeader('Expect', '100-continue');
          outgoing.flushHeaders();
        }
        req.pipe(outgoing);
      };

      const send = (): void => {
        const to = { protocol: 'http:', host: target.host, port: target.port };
        // The library reads the fields from the request; whoever answers it needs them as they came.
        req.headers = fields;
        try {
          library.web(req, res, { target: to, agent, buffer: new Body(start) }, onFailure);
        } catch (cause) {
          fail(upstreamErrorCode(cause));
        } finally {
          req.headers = facts.headers;
        }
      };

      res.once('close', () => {
        if (!res.writableFinished) error ??= 'client_closed';
        request?.destroy();
        const bytesIn = client.bytesRead - before.in;
        const bytesOut = client.bytesWritten - before.out;
        resolve({
          kind: error === null ? 'passed' : 'failed',
          answer: null,
          status,
          error,
          bytesIn,
          bytesOut,
          upstream,
        });
      });
      send();
    });

  return {
    async forward(arrival) {
      // Only requests in the clear are ever passed on; what was decrypted was decrypted to be answered.
      if (arrival.tunnel !== null || 'stream' in arrival.req || !('assignSocket' in arrival.res))
        throw new SallyportError('internal_error', 'a decrypted request was to be forwarded');
      const { req, res } = arrival;
      let fields: IncomingHttpHeaders;
      try {
        fields = requestFields(req, arrival.target, options.via);
      } catch (error) {
        const code = upstreamErrorCode(error);
        const answer = options.failed(code, arrival);
        const bytesOut = await sendAnswer(req, res, answer);
        return {
          kind: 'failed',
          answer: null,
          status: answer.status,
          error: code,
          bytesIn: 0,
          bytesOut,
          upstream: null,
        };
      }
      return once(arrival, req, res, fields);
    },
    close: () => agent.destroy(),
  };
}
