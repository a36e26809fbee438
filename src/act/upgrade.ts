/** WebSocket, in the clear or decrypted: the handshake is forwarded as HTTP, the bytes after 101 are relayed. */
import { createHash } from 'node:crypto';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { SallyportError, upstreamErrorCode, type ErrorCode } from '../errors.ts';
import type { Answer, MayReach, Outcome, UpgradeArrival } from '../flow.ts';
import { onTruncated } from './end-by-close.ts';
import { requestFields, responseFields } from './fields.ts';
import { limitInterim } from './interim.ts';
import { relay } from './relay.ts';
import type { SecureDialler } from './secure.ts';
import type { Dialler } from './upstream.ts';
import { reset, resetAtEnd } from '../reset.ts';
import { answerAndEnd, LINGER } from './write.ts';

export interface UpgradeOptions {
  readonly dialler: Dialler;
  readonly secure: SecureDialler;
  readonly via: string;
  /** Milliseconds without a byte. */
  readonly idleTimeout: number;
  /** Milliseconds from the end of the handshake to the origin's response. */
  readonly responseTimeout: number;
  readonly failed: (code: ErrorCode, arrival: UpgradeArrival) => Answer;
}

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const POLICY_VIOLATION = 1008;

/** Control characters, which no reason phrase may contain (RFC 9112, section 4), but which Node.js accepts. */
const CONTROLS = /[^\t\x20-\x7e\x80-\xff]/;

function hasValidStatusLine({ statusCode = 0, statusMessage = '' }: IncomingMessage): boolean {
  return statusCode >= 100 && !CONTROLS.test(statusMessage);
}

function responseHead(answer: IncomingMessage, fields: readonly string[]): Buffer {
  const lines = [`HTTP/1.1 ${answer.statusCode ?? 502} ${answer.statusMessage ?? ''}`];
  for (let i = 0; i < fields.length; i += 2) lines.push(`${fields[i] ?? ''}: ${fields[i + 1] ?? ''}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Forwards the response of an origin that does not switch protocols; the client's connection ends with it. */
function passRefusal(
  outgoing: ClientRequest,
  answer: IncomingMessage,
  client: Duplex,
  { via, idleTimeout }: UpgradeOptions,
): Promise<ErrorCode | null> {
  let cut = false;
  onTruncated(outgoing, answer, () => {
    cut = true;
    reset(client); // a truncated response must not look complete
  });
  client.write(responseHead(answer, [...responseFields(answer, via), 'Connection', 'close']));
  answer.pipe(client);
  let timer: NodeJS.Timeout | undefined;
  // Neither a client that does not read nor one that does not close may stay forever.
  const leaveIn = (patience: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => client.destroy(), patience);
  };
  answer.once('end', () => leaveIn(idleTimeout));
  client.once('finish', () => leaveIn(LINGER));
  client.once('close', () => clearTimeout(timer));
  return new Promise((resolve) => {
    answer.once('error', () => reset(client));
    client.once('error', () => answer.destroy());
    client.once('close', () => resolve(answer.complete && !cut ? null : 'connection_terminated'));
    client.resume();
  });
}

/** Forwards the upgrade; resolves when both sides are closed. */
export async function upgrade(options: UpgradeOptions, arrival: UpgradeArrival, mayReach?: MayReach): Promise<Outcome> {
  const { socket: client, req, target, facts } = arrival;
  // Earlier requests of the connection are not counted.
  const before = { in: req.socket.bytesRead - arrival.early.length, out: req.socket.bytesWritten };
  const outcome = (kind: Outcome['kind'], status: number | null, error: ErrorCode | null): Outcome => {
    const [bytesIn, bytesOut] = [req.socket.bytesRead - before.in, req.socket.bytesWritten - before.out];
    return { kind, answer: null, status, error, bytesIn, bytesOut, upstream: null };
  };
  let late: NodeJS.Timeout | undefined;
  client.on('error', () => undefined);
  // A client that has sent FIN cannot use a WebSocket.
  const stay = resetAtEnd(client);
  // The FIN is only noticed while reading; bytes that arrive meanwhile stay in the stream.
  client.read(0);
  try {
    const headers = [...requestFields(arrival, options.via), 'connection', 'Upgrade', 'upgrade', 'websocket'];
    const { dial } = facts.scheme === 'https' ? options.secure : options.dialler;
    const upstream = await dial(target, client, { mayReach });
    const address = { address: upstream.remoteAddress ?? '', port: target.port };
    const outgoing = request({ createConnection: () => upstream, method: facts.method, path: facts.path, headers });
    outgoing.maxHeadersCount = 0; // limited by the size of the header section only
    client.once('close', () => outgoing.destroy());
    const settled = await new Promise<{ answer: IncomingMessage; early: Buffer | null }>((resolve, reject) => {
      outgoing.once('error', reject);
      outgoing.once('upgrade', (answer, _socket, early) => resolve({ answer, early }));
      outgoing.once('response', (answer) => resolve({ answer, early: null }));
      limitInterim(outgoing, () => outgoing.destroy(new SallyportError('upstream_protocol_error', 'too many 1xx')));
      outgoing.setTimeout(options.idleTimeout, () => outgoing.destroy(new SallyportError('idle_timeout')));
      const giveUp = (): void => void outgoing.destroy(new SallyportError('response_timeout'));
      late = setTimeout(giveUp, options.responseTimeout);
      outgoing.end();
    });
    clearTimeout(late);
    stay();
    const status = settled.answer.statusCode ?? null;
    if (!hasValidStatusLine(settled.answer)) {
      upstream.destroy();
      throw new SallyportError('upstream_protocol_error', 'the status line of the answer is not valid');
    }
    if (settled.early === null) {
      if (status === 101) {
        upstream.destroy();
        throw new SallyportError('upstream_protocol_error', '101 without a protocol to switch to');
      }
      const error = await passRefusal(outgoing, settled.answer, client, options);
      // Node.js would keep the connection for an agent's next request, but there is no agent.
      upstream.destroy();
      return { ...outcome(error === null ? 'passed' : 'failed', status, error), upstream: address };
    }
    if (settled.answer.headers.upgrade?.toLowerCase() !== 'websocket') {
      upstream.destroy();
      throw new SallyportError('upstream_protocol_error', '101 to a protocol that was not requested');
    }
    const switched = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];
    client.write(responseHead(settled.answer, [...responseFields(settled.answer, options.via), ...switched]));
    if (settled.early.length > 0) client.write(settled.early);
    if (arrival.early.length > 0) upstream.write(arrival.early);
    upstream.setTimeout(0);
    const { error } = await relay(client, upstream, options.idleTimeout);
    return { ...outcome(error === null ? 'passed' : 'failed', status, error), upstream: address };
  } catch (error) {
    clearTimeout(late);
    stay();
    const code = client.destroyed ? 'client_closed' : upstreamErrorCode(error);
    if (code === 'client_closed') return outcome('failed', null, code);
    const answer = options.failed(code, arrival);
    await answerAndEnd(client, answer);
    return outcome('failed', answer.status, code);
  }
}

/** RFC 6455, section 5.2. @param text less than 64 KiB. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const short = payload.length < 126;
  const frame = Buffer.alloc(short ? 2 : 4);
  frame.writeUInt16BE(0x8100 | (short ? payload.length : 126), 0);
  if (!short) frame.writeUInt16BE(payload.length, 2);
  return Buffer.concat([frame, payload]);
}

/** A server's close frame: FIN and opcode 8, unmasked, status code and reason (RFC 6455, section 5.5.1). */
function closeFrame(reason: string): Buffer {
  const text = Buffer.from(reason);
  const frame = Buffer.alloc(4 + text.length);
  frame.writeUInt16BE(0x8800 | (text.length + 2), 0);
  frame.writeUInt16BE(POLICY_VIOLATION, 2);
  text.copy(frame, 4);
  return frame;
}

/**
 * The first subprotocol that a client offers: browsers and others fail a handshake that selects none, and then show no
 * reason. Never a later one, which may be an API key (OpenAI's realtime API accepts it there).
 */
function subprotocolOf({ headers }: UpgradeArrival['req']): string | null {
  const [first = ''] = (headers['sec-websocket-protocol'] ?? '').split(',', 1);
  const name = first.trim();
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) ? name : null;
}

/** The denial of a WebSocket. */
export interface Close {
  /** Text messages to send first. */
  readonly messages: readonly string[];
  /** At most 123 bytes of UTF-8. */
  readonly reason: string;
  /** Header fields of the 101 response, in addition to those of the handshake. */
  readonly headers: Answer['headers'];
}

/**
 * Accepts a WebSocket only to close it with the reason: scripts cannot read a refused handshake. Resolves with the
 * bytes written, once the socket is closed.
 */
export async function closeWebSocket(
  { req, socket }: UpgradeArrival,
  { messages, reason, headers }: Close,
): Promise<number> {
  const key = req.headers['sec-websocket-key'] ?? '';
  const subprotocol = subprotocolOf(req);
  const fields = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': createHash('sha1').update(`${key}${GUID}`).digest('base64'),
    ...(subprotocol !== null && { 'Sec-WebSocket-Protocol': subprotocol }),
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`;
  const bytes = Buffer.concat([Buffer.from(head), ...messages.map(textFrame), closeFrame(reason)]);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => socket.destroy(), LINGER);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on('data', () => undefined).resume();
    socket.once('end', () => socket.end());
    if (socket.destroyed) resolve();
    else socket.write(bytes, () => socket.end());
  });
  return bytes.length;
}
