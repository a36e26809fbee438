/**
 * `http-proxy` with a pass of ours in the place of its `stream`, by its own means for that.
 *
 * A pass is what the library calls for each request. Its own one makes three objects of two dozen options for each,
 * takes the path apart and puts it together again (and folds double slashes in it), and listens to all that happens to
 * the request for the sake of events that nobody asks for: a fifth of what a plain request cost. Those before it take
 * the framing off bodies of DELETE and OPTIONS. This one makes the same single request of what it is given.
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
  /** Milliseconds without a byte on its connection, until it is told of a `timeout`. */
  readonly idleTimeout: number;
  readonly mayReach: MayReach | undefined;
  /** Has the request before it has a connection: nothing of it has been written. */
  readonly start: (outgoing: ClientRequest) => void;
  /** Hears of each error of the request. */
  readonly failed: (cause: unknown) => void;
}

/** Has the library make the request. @throws in the words of `node:http` where it is none. */
export type Pass = (
  req: IncomingMessage | Http2ServerRequest,
  res: ServerResponse | Http2ServerResponse,
  passage: Passage,
) => void;

/** What the library calls a pass with; what is true in the end keeps it from calling the next one. */
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
