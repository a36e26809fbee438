/**
 * Reads a request that came whole and alone, in its most ordinary form; null for all others, which are for Node's own
 * parser. Wherever RFC 9112 leaves something to be trimmed, joined, put off or forgiven, it is not read here: what is read
 * means the same to both, and a test has them read each other's.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface WholeRequest {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: '1.1';
  readonly headers: IncomingHttpHeaders;
  /** Names as they were sent, and values, in turn. */
  readonly rawHeaders: readonly string[];
}

/** Bytes, content and all, and lines of the head; few requests have more, and the parser has limits of its own for those. */
const MOST = 8 * 1024;
const MOST_LINES = 64;
const requestLine = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[\w!$%&'()*+,./:;=?@~-]*) HTTP\/1\.1$/;
const fieldLine = /^([A-Za-z][\dA-Za-z-]*):(?: ([!-~](?:[ -~]*[!-~])?)|)$/;
/** What asks for more than an answer, frames content in a way of its own, or is a list to Node even where it comes once. */
const unusual = /^(?:transfer-encoding|trailer|upgrade|expect|set-cookie)$/;

/** @param bytes all that has come of a connection so far. */
export function readWholeRequest(bytes: Buffer): WholeRequest | null {
  if (bytes.length > MOST) return null;
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const lines = bytes.toString('latin1', 0, end).split('\r\n');
  const [, method, url] = requestLine.exec(lines[0] ?? '') ?? [];
  if (method === undefined || url === undefined || lines.length > MOST_LINES) return null;
  const headers: IncomingHttpHeaders = {};
  const rawHeaders: string[] = [];
  for (let i = 1; i < lines.length; i += 1) {
    const field = fieldLine.exec(lines[i] ?? '');
    if (field === null) return null;
    const [, sent = '', value = ''] = field;
    const name = sent.toLowerCase();
    // Of some that come twice Node keeps the first, of others it makes one.
    if (headers[name] !== undefined || unusual.test(name)) return null;
    headers[name] = value;
    rawHeaders.push(sent, value);
  }
  const length = headers['content-length'] ?? '0';
  if (!/^\d{1,4}$/.test(length) || end + 4 + Number(length) !== bytes.length) return null;
  return { method, url, httpVersion: '1.1', headers, rawHeaders };
}
