/** Requests that ask for another protocol: which of them are granted, and what becomes of the others. */
import type { IncomingMessage, ServerOptions } from 'node:http';
import { versions } from 'node:process';
import type { Duplex } from 'node:stream';
import { enterLast } from './pipeline.ts';
import { asksForWebSocket, hasTooManyLines, announcesContent } from './request.ts';

/** An option that Node.js 20 does not know, and for which it has no type (nodejs.org/api/http.html, `createServer`). */
export interface UpgradeOptions extends ServerOptions {
  /** Whether a request that asks for an upgrade is emitted as `upgrade` rather than as `request`. */
  readonly shouldUpgradeCallback: (req: IncomingMessage) => boolean;
}

/**
 * From Node.js 26 on, the content of a request that asks for an upgrade is parsed, and its bytes cannot be had. Before,
 * it is among the bytes after the head.
 */
const parsesContent = Number(versions.node.split('.', 1)[0]) >= 26;

/** False for a request that is better handled as if it had not asked. */
export function mayUpgrade(req: IncomingMessage): boolean {
  return !parsesContent || !announcesContent(req);
}

/**
 * Whether it asked and was declined: Node.js then drops what came after it in the same read, such as half a request.
 */
export function wasDeclined({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? '');
}

/**
 * The connection of a CONNECT. From Node.js 26 on, one with content is emitted with a stream of its own, which ends
 * with the connection.
 */
export function connectionOf({ socket }: IncomingMessage, stream: Duplex): Duplex {
  // It passes the errors of the connection on.
  if (stream !== socket) stream.on('error', () => undefined);
  return socket;
}

/** The value of `Connection` without the options that ask for an upgrade. */
function withoutSwitch(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  return options.filter((option) => !/^(?:upgrade|http2-settings)?$/i.test(option)).join(', ');
}

/** The head of a request without its upgrade. */
function withoutUpgrade(req: IncomingMessage): Buffer {
  const lines = [`${req.method ?? 'GET'} ${req.url ?? '/'} HTTP/${req.httpVersion}`];
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const [name = '', value = ''] = req.rawHeaders.slice(i, i + 2);
    if (/^(?:upgrade|http2-settings)$/i.test(name)) continue;
    lines.push(`${name}: ${/^connection$/i.test(name) ? withoutSwitch(value) : value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/**
 * Handles a request to upgrade. WebSocket is the only protocol that is granted; a request for h2c or TLS is handled as
 * if it had not asked. Either waits for the responses to earlier requests.
 *
 * @param decline gets a request whose upgrade is not granted, without the fields that ask for one, and the bytes after
 *   it.
 * @param judge gets the bytes that came after the request.
 */
export function admitUpgrade(
  req: IncomingMessage,
  socket: Duplex,
  early: Buffer,
  decline: (bytes: Buffer) => void,
  judge: (early: Buffer) => void,
): void {
  // It must not be parsed again without the fields that were dropped.
  const isJudged = asksForWebSocket(req) || hasTooManyLines(req);
  enterLast(socket, req, early, (sent) => {
    if (isJudged) judge(sent);
    else decline(Buffer.concat([withoutUpgrade(req), sent]));
  });
}
