/** The client side of a forwarded request, for HTTP/1 and HTTP/2. */
import { ServerResponse, type IncomingMessage } from 'node:http';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import { SallyportError } from '../errors.ts';
import type { RequestArrival } from '../flow.ts';
import { joinPieces } from '../join-pieces.ts';
import { reset } from '../reset.ts';
import { responseFields, trailerFields } from './fields.ts';
import { pipeBody } from './pipe-body.ts';
import { drain, endStream, isFullyRead } from './write.ts';

export interface ClientSide {
  /**
   * Bytes received from the client and sent to it, with heads in HTTP/1 and without in HTTP/2. To be called once, at
   * the end.
   */
  readonly bytes: () => { readonly in: number; readonly out: number };
  /** Forwards the origin's response. @throws {SallyportError} if it cannot be sent on as valid HTTP. */
  readonly answer: (answer: IncomingMessage) => void;
  /** Resets the connection or stream, so that a truncated response does not look complete. */
  readonly abort: () => void;
  /** Whether the complete response was sent to the client. */
  readonly isComplete: () => boolean;
  /** Whether the request has a body of undeclared length, which HTTP/2 allows. */
  readonly hasUnknownLength: boolean;
  /** Whether the request has a body. */
  readonly hasBody: boolean;
  /** Whether the client waits for "100 Continue". Never on HTTP/1.0, where it would be read as the final response. */
  readonly expects: boolean;
  /** Tells the client to send its body, unless it has left. */
  readonly proceed: () => void;
}

function invalidField(cause: unknown): SallyportError {
  return new SallyportError('upstream_protocol_error', 'a header field of the answer is not valid', { cause });
}

function expectsContinue({ facts }: RequestArrival): boolean {
  return facts.httpVersion !== '1.0' && facts.headers.expect?.toLowerCase() === '100-continue';
}

/** Property of a connection: the bytes that had been read from it when its last request ended. */
const COUNTED = Symbol('counted');

interface Counted {
  [COUNTED]?: number;
}

function http1(arrival: RequestArrival, req: IncomingMessage, res: ServerResponse, via: string): ClientSide {
  const socket: Socket & Counted = req.socket;
  // The head was read before this is called, and often the body with it.
  const before = { in: socket[COUNTED] ?? 0, out: socket.bytesWritten };
  const body = req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
  return {
    bytes() {
      const { bytesRead, bytesWritten } = socket;
      socket[COUNTED] = bytesRead;
      return { in: bytesRead - before.in, out: bytesWritten - before.out };
    },
    answer(answer) {
      const fields = responseFields(answer, via);
      if (!req.complete) res.shouldKeepAlive = false;
      try {
        res.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', fields);
      } catch (error) {
        throw invalidField(error);
      }
      answer.on('end', () => {
        const trailers = trailerFields(answer);
        if (trailers.length > 0) res.addTrailers(trailers);
        // The origin may respond before it has read the whole body. Closing with unread bytes would send RST, and the
        // client could lose the response.
        if (isFullyRead(req)) res.end();
        else void drain(req).then(() => res.end());
      });
      if (answer.headers['transfer-encoding'] !== undefined) joinPieces(answer);
      pipeBody(answer, res);
    },
    abort: () => reset(socket),
    isComplete: () => res.writableFinished,
    hasUnknownLength: false,
    hasBody: body,
    expects: body && expectsContinue(arrival),
    proceed: () => res.writeContinue(),
  };
}

/** Fields whose lines cannot be combined, or that clients do not parse as a list (RFC 9110, section 5.3). */
const uncombinable = new Set(['set-cookie', 'www-authenticate']);

/**
 * Converts a flat field list for HTTP/2: names in lower case, repeated lines combined into one. Node.js accepts only
 * one value for many fields, and origins do send e.g. `X-Content-Type-Options` twice.
 */
function grouped(fields: readonly string[]): Map<string, string | string[]> {
  const all = new Map<string, string[]>();
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] ?? '').toLowerCase();
    const values = all.get(name) ?? [];
    const value = fields[i + 1] ?? '';
    if (uncombinable.has(name) || !values.includes(value)) values.push(value);
    all.set(name, values);
  }
  return new Map([...all].map(([name, values]) => [name, uncombinable.has(name) ? values : values.join(', ')]));
}

function http2(arrival: RequestArrival, req: Http2ServerRequest, res: Http2ServerResponse, via: string): ClientSide {
  const counted = { in: 0, out: 0 };
  // Read it now: `res.stream` is gone once the stream has ended.
  const { stream } = res;
  // A client may reset a stream with NO_ERROR: Node.js then destroys it only once its body has been read, which may
  // have to wait for the origin.
  stream.once('aborted', () => setImmediate(() => stream.destroy()));
  const body = !req.stream.endAfterHeaders;
  if (body) joinPieces(stream);
  if (body) req.on('data', (chunk: Buffer) => (counted.in += chunk.length)).pause();
  return {
    bytes: () => counted,
    answer(answer) {
      const fields = grouped(responseFields(answer, via));
      try {
        for (const [name, value] of fields) res.setHeader(name, value);
        // Node.js would send 200 instead.
        if (answer.statusCode === 0) throw new RangeError('the status is 000');
        res.writeHead(answer.statusCode ?? 502);
      } catch (error) {
        // Fields set so far would otherwise be sent with the answer that reports this failure.
        for (const name of res.getHeaderNames()) res.removeHeader(name);
        throw invalidField(error);
      }
      answer.on('data', (chunk: Buffer) => (counted.out += chunk.length));
      answer.once('end', () => {
        const trailers = trailerFields(answer);
        if (trailers.length > 0) res.addTrailers(Object.fromEntries(grouped(trailers.flat())));
        res.end();
        void endStream(req);
      });
      if (answer.headers['transfer-encoding'] !== undefined) joinPieces(answer);
      pipeBody(answer, res);
    },
    abort: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    isComplete: () => stream.writableFinished && !stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR,
    hasUnknownLength: body && req.headers['content-length'] === undefined,
    hasBody: body,
    expects: body && expectsContinue(arrival),
    proceed() {
      // Node.js throws if the client has reset the stream.
      if (!stream.closed && !stream.destroyed) res.writeContinue();
    },
  };
}

export function clientSide(arrival: RequestArrival, via: string): ClientSide {
  const { req, res } = arrival;
  if ('stream' in req && !(res instanceof ServerResponse)) return http2(arrival, req, res, via);
  if ('stream' in req || !(res instanceof ServerResponse))
    throw new SallyportError('internal_error', 'the request and the response use different versions of HTTP');
  return http1(arrival, req, res, via);
}
