/**
 * Reads a request that came complete and alone, in its most ordinary form; null for all others, which Node's parser
 * reads. Anything that RFC 9112 allows to be trimmed, joined, deferred or tolerated is not read here: what is read
 * means the same to both parsers, and a test compares them.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface WholeRequest {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: '1.1';
  readonly headers: IncomingHttpHeaders;
  /** Names as sent and values, alternating. */
  readonly rawHeaders: readonly string[];
}

/**
 * Limits on bytes, including content, and on lines of the head. Few requests exceed them, and the parser has its own.
 */
const MOST = 8 * 1024;
const MOST_LINES = 64;
const requestLine = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (\/[\w!$%&'()*+,./:;=?@~-]*) HTTP\/1\.1$/;
const fieldLine = /^([A-Za-z][\dA-Za-z-]*):(?: ([!-~](?:[ -~]*[!-~])?)|)$/;
/** Fields that ask for more than an answer, frame content in a special way, or that Node turns into a list. */
const unusual = /^(?:transfer-encoding|trailer|upgrade|expect|set-cookie)$/;

/** @param bytes all that has come on a connection so far. */
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
    // Of repeated fields Node keeps only the first of some, and joins others.
    if (headers[name] !== undefined || unusual.test(name)) return null;
    headers[name] = value;
    rawHeaders.push(sent, value);
  }
  const length = headers['content-length'] ?? '0';
  if (!/^\d{1,4}$/.test(length) || end + 4 + Number(length) !== bytes.length) return null;
  return { method, url, httpVersion: '1.1', headers, rawHeaders };
}
