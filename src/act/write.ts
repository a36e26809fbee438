/** Writes answers in a way that lets the peer read them before the connection closes. */
import { ServerResponse, type IncomingMessage } from 'node:http';
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Answer, LoneArrival } from '../flow.ts';
import { startReading } from '../reading.ts';

/**
 * Bytes of a request body that are still read after its answer, so that no RST overtakes the answer: many clients read
 * nothing before they have sent the whole body, which on a slow line takes more than a few seconds.
 */
const DRAIN_BYTES = 32 * 1024 * 1024;
/** Milliseconds for that: in total; in HTTP/2, where closing a stream cannot lose its answer; and without a byte. */
const DRAIN_TIME = 60_000;
const DRAIN_STREAM = 3_000;
const DRAIN_QUIET = 3_000;
/** Milliseconds for the first byte of a client that may be waiting for "100 Continue" and send no body without it. */
const DRAIN_EXPECT = 500;
/** Milliseconds after a final answer that the peer has to close the connection. */
export const LINGER = 2_000;

const none = Buffer.alloc(0);
const ignore = (): void => undefined;
const dropped = (): boolean => true;

/** Whether the answer must be sent without its body. */
function isBodiless(method: string | undefined, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/**
 * Serializes head and body for HTTP/1.1 into one buffer: a second write would be a second system call.
 *
 * @param body the body to send; Content-Length is always that of the answer's own body.
 */
export function serialize({ status, reason, headers, body: own }: Answer, body = own): Buffer {
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (const name of Object.keys(headers)) head += `${name}: ${headers[name] ?? ''}\r\n`;
  if (status !== 204) head += `Content-Length: ${own.length}\r\n`;
  head += 'Connection: close\r\n\r\n';
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 'latin1');
  body.copy(bytes, head.length);
  return bytes;
}

/**
 * Writes the answer and FIN to a raw socket, then reads and drops the peer's remaining bytes. Closing with unread bytes
 * would send RST, which discards the answer in the peer's receive buffer (RFC 9112, section 9.6). Resolves with the
 * bytes written, once the socket is closed.
 */
export function answerAndEnd(socket: Duplex, answer: Answer): Promise<number> {
  const { whole } = answer;
  const bytes = whole?.bytes ?? serialize(answer);
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), LINGER);
    const done = (): void => {
      clearTimeout(timer);
      whole?.giveBack();
      resolve(bytes.length);
    };
    if (socket.destroyed) {
      done();
      return;
    }
    socket.on('error', ignore);
    socket.on('close', done);
    socket.end(bytes);
    startReading(socket, dropped);
  });
}

/**
 * Answers a request that arrived complete, with nothing after it. Like `node:http`, it closes once the kernel has taken
 * the answer: the client has nothing left to send that would trigger an RST. Returns the body bytes written.
 */
export function answerLone({ socket, facts }: LoneArrival, answer: Answer): number {
  const body = isBodiless(facts.method, answer.status) ? none : answer.body;
  const { whole } = answer;
  socket.on('finish', () => void socket.destroy());
  if (whole !== undefined) socket.on('close', whole.giveBack);
  socket.end(whole !== undefined && body !== none ? whole.bytes : serialize(answer, body));
  return body.length;
}

/** A flat list of names and values, which Node.js writes as it is, without building a table of fields first. */
function fieldsOf({ status, headers, body }: Answer): string[] {
  const fields: string[] = [];
  for (const name of Object.keys(headers)) fields.push(name, headers[name] ?? '');
  if (status !== 204) fields.push('Content-Length', String(body.length));
  fields.push('Connection', 'close');
  return fields;
}

/**
 * Whether the request has been read completely. `Expect: 100-continue` does not mean that no body follows: the client
 * need not wait for the 100 (RFC 9110, section 10.1.1), and may have received it.
 */
export function isFullyRead(req: IncomingMessage | Http2ServerRequest): boolean {
  const { complete, headers } = req;
  if (complete) return true;
  // In HTTP/2, only the end of the stream tells whether there is a body.
  return !('stream' in req) && headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0';
}

/** Reads and drops the rest of a body; resolves at its end or at a limit. @param time milliseconds, at most. */
export function drain(req: IncomingMessage | Http2ServerRequest, time = DRAIN_TIME): Promise<void> {
  if (isFullyRead(req)) return Promise.resolve();
  return new Promise((resolve) => {
    let left = DRAIN_BYTES;
    const until = performance.now() + time;
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    let timer = setTimeout(done, req.headers.expect === undefined ? DRAIN_QUIET : DRAIN_EXPECT);
    req.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      clearTimeout(timer);
      if (left < 0 || performance.now() > until) resolve();
      else timer = setTimeout(done, DRAIN_QUIET);
    });
    req.once('end', done);
    req.once('close', done);
    req.resume();
  });
}

/**
 * Ends an answered HTTP/2 stream: reads the rest of the request for a while, then resets the stream with NO_ERROR (RFC
 * 9113, section 8.1), since its client could send forever.
 */
export async function endStream(req: Http2ServerRequest): Promise<void> {
  const { stream } = req;
  await drain(req, DRAIN_STREAM);
  if (!req.complete) stream.close(constants.NGHTTP2_NO_ERROR);
}

/**
 * Limits how long an HTTP/2 stream may wait with its answer because the client's flow-control window is full (RFC 9113,
 * section 5.2); it would otherwise stay as long as the session. Its header fields are freed at once. As in HTTP/1, the
 * limit is {@link LINGER}: then the stream is reset and the session accepts no others.
 */
function limitBlockedStream({ stream, rawHeaders, headers }: Http2ServerRequest): void {
  const isTaken = (): boolean => stream.writableFinished || stream.destroyed;
  // By then the request has been recorded, and nothing else uses its header fields.
  setImmediate(() => {
    if (isTaken()) return;
    rawHeaders.length = 0;
    for (const name of Object.keys(headers)) Reflect.deleteProperty(headers, name);
  });
  const timer = setTimeout(() => {
    if (isTaken()) return;
    const { session } = stream;
    stream.close(constants.NGHTTP2_CANCEL);
    if (session === undefined || session.destroyed) return;
    session.goaway();
    session.close();
  }, LINGER);
  stream.once('close', () => clearTimeout(timer));
}

/**
 * Answers an HTTP/1 or HTTP/2 request and resolves with the body bytes written. On HTTP/1, it closes the connection:
 * what was decided for one name must not be assumed for the next.
 */
export async function sendAnswer(
  req: IncomingMessage | Http2ServerRequest,
  res: ServerResponse | Http2ServerResponse,
  answer: Answer,
): Promise<number> {
  const body = isBodiless(req.method, answer.status) ? none : answer.body;
  res.on('error', ignore);
  if (res instanceof ServerResponse) {
    res.writeHead(answer.status, answer.reason, fieldsOf(answer));
    if (isFullyRead(req)) {
      res.end(body);
      return body.length;
    }
    res.flushHeaders();
    if (body.length > 0) res.write(body);
    await drain(req);
    res.end();
  } else {
    // Without a body, HEADERS must end the stream: gRPC takes an empty DATA frame for a broken answer.
    for (const [name, value] of Object.entries(answer.headers)) res.setHeader(name, value);
    if (answer.status !== 204) res.setHeader('Content-Length', answer.body.length);
    res.statusCode = answer.status;
    if (body.length > 0) res.end(body);
    else res.end();
    if ('stream' in req) {
      limitBlockedStream(req);
      void endStream(req);
    }
  }
  return body.length;
}
