/**
 * Reads the head of a CONNECT from raw bytes: the request line and the few fields that matter here.
 *
 * Most connections of a forward proxy are a single CONNECT, and reading it here costs a third less than with Node's
 * parser. It must therefore be at least as strict (RFC 9112, sections 2.2, 3 and 5).
 */
import { LRUCache } from 'lru-cache';
import type { ErrorCode } from '../errors.ts';

/** Bytes of a head, at most; the same as Node's default `maxHeaderSize`. */
export const MAX_HEAD = 16 * 1024;
/** Lines of a head, or fields in HTTP/2. Browsers send some twenty, clients of a CONNECT three or four. */
export const MAX_LINES = 200;

export interface ConnectHead {
  /** The authority as sent, still to be checked by `parseAuthority`. */
  readonly authority: string;
  readonly userAgent: string;
  /** Bytes of the head, including the empty line. */
  readonly length: number;
}

export type ConnectHeadResult =
  | { readonly kind: 'head'; readonly head: ConnectHead }
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly code: ErrorCode; readonly detail: string };

const requestLine = /^CONNECT ([!-~]+) HTTP\/1\.[01]$/;
const version = / HTTP\/(\d)\.(\d)$/;
/** A value does not begin with a space: with two ways to read one, a line of spaces would take quadratic time. */
const fieldLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(?:([!-~\u0080-\u00ff][\t -~\u0080-\u00ff]*))?$/;

/**
 * Heads that were read before: a client sends the same head each time it connects to a host. Only short ones are kept.
 */
const known = new LRUCache<string, ConnectHeadResult>({ max: 1_024 });
const ORDINARY = 512;
/** Heads with credentials must not be kept. */
const credentials = /^(?:proxy-)?authorization:/im;

function bad(code: ErrorCode, detail: string): ConnectHeadResult {
  return { kind: 'bad', code, detail };
}

function badRequestLine(line: string): ConnectHeadResult {
  const named = version.exec(line);
  if (named !== null && named[1] !== '1') return bad('version_not_supported', `HTTP/${named[1]}.${named[2]}`);
  return bad('malformed_request', 'the request line is not "CONNECT host:port HTTP/1.1"');
}

/** A head whose lines end in a bare LF would never be complete, so it is refused at once. */
function unfinished(bytes: Buffer): ConnectHeadResult {
  if (bytes.includes('\n\n')) return bad('malformed_request', 'a line does not end in CR LF');
  return bytes.length > MAX_HEAD ? bad('header_too_large', `over ${MAX_HEAD} bytes`) : { kind: 'more' };
}

/** The values of a field in a head that was read before, by its name in lower case. */
export function fieldsOf(head: Buffer, wanted: string): readonly string[] {
  return head
    .toString('latin1')
    .split('\r\n')
    .flatMap((line) => {
      const field = fieldLine.exec(line);
      return field?.[1]?.toLowerCase() === wanted ? [(field[2] ?? '').trimEnd()] : [];
    });
}

/** Parses what has arrived on a connection that starts with `CONNECT `. Never throws. */
export function readConnectHead(bytes: Buffer): ConnectHeadResult {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return unfinished(bytes);
  if (end > MAX_HEAD) return bad('header_too_large', `${end} bytes`);
  const text = bytes.toString('latin1', 0, end);
  if (end > ORDINARY) return parse(text);
  const before = known.get(text);
  if (before !== undefined) return before;
  const read = parse(text);
  if (read.kind === 'head' && !credentials.test(text)) known.set(text, read);
  return read;
}

function parse(text: string): ConnectHeadResult {
  const lines = text.split('\r\n');
  if (lines.length > MAX_LINES) return bad('header_too_large', `${lines.length} field lines`);
  const first = lines[0] ?? '';
  const authority = requestLine.exec(first)?.[1];
  if (authority === undefined) return badRequestLine(first);
  let userAgent = '';
  let hosts = 0;
  let lengths = 0;
  for (let i = 1; i < lines.length; i += 1) {
    const field = fieldLine.exec(lines[i] ?? '');
    if (field === null) return bad('malformed_request', `field line ${i} is not "name: value"`);
    const name = (field[1] ?? '').toLowerCase();
    if (name === 'user-agent') userAgent = (field[2] ?? '').trimEnd();
    else if (name === 'host') hosts += 1;
    else if (name === 'content-length' || name === 'transfer-encoding') {
      // A CONNECT has no content (RFC 9110, section 9.3.6); framing suggests an attempt to desynchronise two parsers.
      // But some clients announce a length of 0, among them programs that use WinINet.
      if (name !== 'content-length' || field[2]?.trimEnd() !== '0' || lengths > 0)
        return bad('malformed_request', 'a CONNECT has no content');
      lengths += 1;
    }
  }
  if (hosts > 1) return bad('malformed_request', 'more than one Host field');
  return { kind: 'head', head: { authority, userAgent, length: text.length + 4 } };
}
