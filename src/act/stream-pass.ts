/**
 * `http-proxy` with our own pass instead of its `stream`, installed through the library's API for that.
 *
 * A pass is a function that the library calls for each request. For each one, its `stream` creates three objects with
 * two dozen options, splits and rejoins the path (folding double slashes), and adds listeners for events that nothing
 * here uses: a fifth of the cost of a plain request. The passes before it strip the framing from bodies of DELETE and
 * OPTIONS. Ours makes one request from the given options, and runs before all of them.
 */
import { request, type Agent, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import httpProxy from 'http-proxy';
import type { MayReach, RequestFacts, Target } from '../flow.ts';

/** One request to an origin. */
export interface Passage {
  readonly facts: Pick<RequestFacts, 'method' | 'scheme' | 'path'>;
  readonly target: Target;
  readonly agent: Agent;
  /** A flat list of names and values. */
  readonly fields: readonly string[];
  /** Milliseconds without a byte on the connection before the request emits `timeout`. */
  readonly idleTimeout: number;
  readonly mayReach: MayReach | undefined;
  /** Receives the request before it has a connection and before any of it is written. */
  readonly start: (outgoing: ClientRequest) => void;
  /** Called for each error of the request. */
  readonly failed: (cause: unknown) => void;
}

/** Has the library make the request. @throws the errors of `node:http` if it is not valid. */
export type Pass = (
  req: IncomingMessage | Http2ServerRequest,
  res: ServerResponse | Http2ServerResponse,
  passage: Passage,
) => void;

/** The library's signature of a pass; returning true keeps it from calling the next one. */
type LibraryPass = (
  req: IncomingMessage,
  res: ServerResponse,
  options: { readonly passage: Passage },
  head: undefined,
  library: httpProxy,
  failed: Passage['failed'],
) => true;

const streamPass: LibraryPass = (_req, res, { passage }, _head, _library, failed) => {
  const { facts, target, agent, fields, mayReach } = passage;
  const wanted = {
    protocol: facts.scheme === 'https' ? 'https:' : 'http:',
    agent,
    host: target.host,
    port: target.port,
    method: facts.method,
    path: facts.path,
    headers: fields,
    timeout: passage.idleTimeout,
    mayReach,
    answer: res,
  };
  const outgoing = request(wanted);
  outgoing.on('error', failed);
  passage.start(outgoing);
  return true;
};

interface WithPasses {
  readonly before: (kind: 'web', pass: 'deleteLength', own: LibraryPass) => void;
}

export function createPass(): Pass {
  const library = httpProxy.createProxyServer({});
  (library as unknown as WithPasses).before('web', 'deleteLength', streamPass);
  return (req, res, passage) => {
    const options: object = { target: passage.target, passage };
    library.web(req as IncomingMessage, res as ServerResponse, options, passage.failed);
  };
}
