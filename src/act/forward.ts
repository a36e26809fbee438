/**
 * Forwards a readable request through `http-proxy` and returns its response. Decrypted requests go over TLS again.
 *
 * The library runs each request with a pass of ours, and its input and output are checked here, because on its own it
 * is open to crashes, request smuggling and leaks: it strips the framing from bodies of DELETE and OPTIONS, forwards
 * hop-by-hop fields in both directions, folds double slashes in paths, and does not notice that a client disconnected.
 */
import { ServerResponse, type ClientRequest } from 'node:http';
import { whenBroken } from '../broken-request.ts';
import { upstreamErrorCode, type ErrorCode } from '../errors.ts';
import type { Answer, MayReach, Outcome, RequestArrival } from '../flow.ts';
import { clientSide, type ClientSide } from './client-side.ts';
import { onTruncated } from './end-by-close.ts';
import { requestFields, trailerFields } from './fields.ts';
import { limitInterim } from './interim.ts';
import { failedOutcome } from './outcome.ts';
import { createOwnPools } from './own-pool.ts';
import { createPool, createSecurePool } from './pool.ts';
import { pipeBody } from './pipe-body.ts';
import type { SecureDialler } from './secure.ts';
import { createPass, type Passage } from './stream-pass.ts';
import type { Dialler } from './upstream.ts';
import { sendAnswer } from './write.ts';

export interface ForwardOptions {
  readonly dialler: Dialler;
  readonly secure: SecureDialler;
  /** This proxy's unique pseudonym in `Via`. */
  readonly via: string;
  /** Milliseconds without a byte from the origin. */
  readonly idleTimeout: number;
  /** Milliseconds from the end of the request to the start of the response. */
  readonly responseTimeout: number;
  readonly failed: (code: ErrorCode, arrival: RequestArrival) => Answer;
}

export interface Forward {
  readonly forward: (arrival: RequestArrival, mayReach?: MayReach) => Promise<Outcome>;
  readonly close: () => void;
}

const safeToRepeat = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export function createForward(options: ForwardOptions): Forward {
  const pass = createPass();
  const plain = createPool(options.dialler);
  const secure = createSecurePool(options.secure);
  const poolOf = createOwnPools();

  const once = (
    arrival: RequestArrival,
    client: ClientSide,
    fields: readonly string[],
    mayReach?: MayReach,
  ): Promise<Outcome> =>
    new Promise((resolve, reject) => {
      const { target, facts, req, res } = arrival;
      const agent =
        facts.scheme === 'https'
          ? poolOf(arrival, secure, () => createSecurePool(options.secure))
          : poolOf(arrival, plain, () => createPool(options.dialler));
      let request: ClientRequest | null = null;
      let upstream: Outcome['upstream'] = null;
      let error: ErrorCode | null = null;
      let status: number | null = null;
      let repeated = false;
      let closed = false;
      let late: NodeJS.Timeout | undefined;

      const fail = (code: ErrorCode): void => {
        if (error !== null) return;
        error = code;
        request?.destroy();
        if (res.headersSent) {
          client.abort();
          return;
        }
        const answer = options.failed(code, arrival);
        status = answer.status;
        sendAnswer(req, res, answer).catch(reject);
      };

      const onFailure = (cause: unknown): void => {
        clearTimeout(late);
        // An origin may respond before it has read the whole body, then close: that response stands.
        if (status !== null) return;
        const stale = request?.reusedSocket === true && !repeated;
        if (stale && safeToRepeat.has(facts.method) && !client.hasBody && !closed) {
          // The origin closed the reused connection before it sent any of the response (RFC 9112, section 9.3.1).
          repeated = true;
          send();
        } else fail(upstreamErrorCode(cause));
      };

      const start = (outgoing: ClientRequest): void => {
        request = outgoing;
        outgoing.maxHeadersCount = 0; // limited by the size of the header section only
        outgoing.on('socket', (socket) => {
          const address = socket.remoteAddress ?? '';
          // A reused connection may have been dialled for a request that may reach more, or before the name's addresses
          // changed. Nothing has been written to it yet.
          if (mayReach?.(address) === false) fail('destination_prohibited');
          else upstream = { address, port: target.port };
        });
        limitInterim(outgoing, () => fail('upstream_protocol_error'));
        outgoing.on('timeout', () => fail('idle_timeout'));
        // No switch of protocols was requested. Without a listener, Node.js would silently drop the connection.
        outgoing.on('upgrade', (_answer, socket) => {
          socket.destroy();
          fail('upstream_protocol_error');
        });
        outgoing.on('finish', () => {
          // The origin may have responded before the end of the request.
          if (status === null && !closed) late = setTimeout(() => fail('response_timeout'), options.responseTimeout);
        });
        outgoing.on('response', (answer) => {
          clearTimeout(late);
          // Without an Upgrade field, Node.js treats 101 as the final response and would take the response after it for
          // that of the next request on the connection.
          if (answer.statusCode === 101) {
            fail('upstream_protocol_error');
            return;
          }
          status = answer.statusCode ?? null;
          answer.on('error', () => fail('connection_terminated'));
          onTruncated(outgoing, answer, () => fail('connection_terminated'));
          try {
            client.answer(answer);
          } catch (cause) {
            fail(upstreamErrorCode(cause));
          }
        });
        if (!client.hasBody) {
          // No body: a pipe would cost more than the rest of the request.
          outgoing.end();
          req.resume();
          return;
        }
        req.once('end', () => {
          const trailers = trailerFields(req);
          if (trailers.length > 0) outgoing.addTrailers(trailers);
          outgoing.end();
        });
        if (client.expects) outgoing.on('continue', client.proceed);
        pipeBody(req, outgoing);
      };

      const passage: Passage = {
        facts,
        target,
        agent,
        fields,
        idleTimeout: options.idleTimeout,
        mayReach,
        start,
        failed: onFailure,
      };
      const send = (): void => {
        try {
          pass(req, res, passage);
        } catch (cause) {
          fail(upstreamErrorCode(cause));
        }
      };

      res.on('close', () => {
        closed = true;
        if (!client.isComplete()) error ??= 'client_closed';
        clearTimeout(late);
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
      if (res instanceof ServerResponse) whenBroken(res, fail);
      send();
    });

  const refuse = async (arrival: RequestArrival, cause: unknown): Promise<Outcome> => {
    const code = upstreamErrorCode(cause);
    const answer = options.failed(code, arrival);
    const bytesOut = await sendAnswer(arrival.req, arrival.res, answer);
    return failedOutcome(code, answer.status, bytesOut);
  };

  return {
    forward(arrival, mayReach) {
      const { req } = arrival;
      // The client disconnected during the name lookup; the `close` event that would end the attempt has already fired.
      if ('stream' in req ? req.stream.destroyed : req.socket.destroyed)
        return Promise.resolve(failedOutcome('client_closed', null));
      const client = clientSide(arrival, options.via);
      let fields: string[];
      try {
        fields = requestFields(arrival, options.via, client.hasUnknownLength);
        // Forwarded at once, before any of the body.
        if (client.expects) fields.push('expect', '100-continue');
      } catch (cause) {
        return refuse(arrival, cause);
      }
      return once(arrival, client, fields, mayReach);
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}
