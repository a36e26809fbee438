/** What every arrival has: id, timestamps, peer and, for a request that could be read, its facts. */
import { randomFillSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { RequestFacts } from '../flow.ts';
import { peerAddress } from '../ip.ts';
import { peerOf, type Peer } from './peers.ts';
import type { WholeRequest } from './whole-request.ts';

const ID_BYTES = 12;
const pool = Buffer.alloc(ID_BYTES * 512);
let used = pool.length;

/** 96 random bits in hexadecimal, drawn from a pool because a system call for each would cost more than the rest. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.toString('hex', used - ID_BYTES, used);
}

export interface Origin {
  readonly id: string;
  readonly at: number;
  readonly started: number;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly user?: string | undefined;
}

export function originOf(socket: Peer & object): Origin {
  const { remoteAddress, remotePort = 0 } = peerOf(socket);
  return {
    id: newId(),
    at: Date.now(),
    started: performance.now(),
    clientAddress: peerAddress(remoteAddress),
    clientPort: remotePort,
  };
}

/** A request without its content, whichever parser read it. */
export type Request = WholeRequest | IncomingMessage | Http2ServerRequest;

function header(req: Request, name: string): string {
  const value = req.headers[name];
  return typeof value === 'string' ? value : (value?.join(', ') ?? '');
}

/** Java's HttpURLConnection sends this by default. No browser lists image types right after pages. */
const takenByJava = 'text/html, image/gif, image/jpeg';

/** Links and ELinks accept anything. They run no scripts, so every request of theirs is for a person. */
const textBrowser = /^E?Links[ /(]/;

/**
 * Browsers send `Sec-Fetch-Mode: navigate` when they navigate (Fetch Metadata). Browsers that do not, or not in the
 * clear, request `text/html` by GET. Scripts that set `Accept` to `text/html` get the page as well; text browsers that
 * accept anything are recognised by name.
 */
function isNavigation(req: Request, method: string): boolean {
  const mode = header(req, 'sec-fetch-mode');
  if (mode !== '') return mode === 'navigate';
  const accept = header(req, 'accept');
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (accept === '*/*') return textBrowser.test(header(req, 'user-agent'));
  return accept.includes('text/html') && !accept.startsWith(takenByJava);
}

const versions: Readonly<Record<string, RequestFacts['httpVersion']>> = { '1.0': '1.0', '1.1': '1.1', '2.0': '2.0' };

/** Null for a version that is not supported: Node's parser accepts request lines with `HTTP/2.0` and `HTTP/0.9`. */
export function factsOf(req: Request, scheme: RequestFacts['scheme'], path: string): RequestFacts | null {
  const httpVersion = versions[req.httpVersion];
  // Only an HTTP/2 session is HTTP/2; a request line that says so lies.
  if (httpVersion === undefined || (httpVersion === '2.0') !== 'stream' in req) return null;
  const method = req.method ?? '';
  return { method, scheme, httpVersion, path, headers: req.headers, navigation: isNavigation(req, method) };
}

export function userAgentOf(req: Request): string {
  return header(req, 'user-agent');
}
