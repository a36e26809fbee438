/** Pools of kept-alive connections to origins, all made by our dialler. */
import { Agent, type AgentOptions, type ClientRequest, type ClientRequestArgs } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { PassThrough, type Duplex, type Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Hostname, MayReach, Target } from '../flow.ts';
import { readInto } from '../read-into.ts';
import { createSpareDials, type SpareDial, type SpareDials } from './spare-dials.ts';
import type { Reading } from './upstream.ts';

/** Milliseconds that an idle connection is kept; less than most origins do. */
const FREE_FOR = 4_000;

/**
 * Idle connections per origin. Each has carried a request within the last {@link FREE_FOR}, so the load limits their
 * number too; with fewer of them than concurrent requests, nearly every request would pay for a new connection.
 */
const FREE_AT_MOST = 1024;

/** `servername` is empty to save the agent deriving it for each request: the dialler performs the handshake. */
const pooling: AgentOptions & { readonly servername: string } = {
  keepAlive: true,
  maxFreeSockets: FREE_AT_MOST,
  scheduling: 'lifo',
  timeout: FREE_FOR,
  servername: '',
};

const kinds = { 0: 'name', 4: 'ipv4', 6: 'ipv6' } as const;

/** `node:http` passes on the host of the request, which is the canonical host of its target. */
function targetOf(options: ClientRequestArgs): Target {
  const host = options.host ?? '';
  return { host: host as Hostname, kind: kinds[isIP(host) as 0 | 4 | 6], port: Number(options.port) };
}

interface Dial {
  readonly dial: (
    target: Target,
    client: Duplex,
    options: { readonly mayReach?: MayReach | undefined; readonly feed: Reading },
  ) => Promise<Socket>;
}

/** Request options about its connection, in addition to those of `node:http`. */
export interface PoolRequest {
  readonly mayReach?: MayReach | undefined;
  /** Once this is closed, the connection is no longer needed. */
  readonly answer?: Writable;
}

const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** All origins can share one buffer, because the parser of `node:http` copies what it keeps of a response. */
function createReading(): Reading {
  let source: Socket | null = null;
  return {
    onread: {
      buffer: shared,
      callback(length) {
        // Unsolicited: these bytes must not become the response to the next request.
        if (source?.emit('data', shared.subarray(0, length)) === false) source.destroy();
        return true;
      },
    },
    attach(socket) {
      source = socket;
    },
  };
}

async function dialToParse(
  dial: Dial['dial'],
  target: Target,
  client: Duplex,
  mayReach: MayReach | undefined,
): Promise<Socket> {
  const feed = createReading();
  const socket = await dial(target, client, { mayReach, feed });
  if (socket instanceof TLSSocket && readInto(socket, feed.onread)) feed.attach(socket);
  return socket;
}

type Connected = ((error: Error | null, stream: Duplex) => void) | undefined;

function connectBy(
  { dial }: Dial,
  spares: SpareDials,
  options: ClientRequestArgs & PoolRequest,
  callback: Connected,
): undefined {
  // A pooled connection belongs to no client, so no client's close may abort the dial.
  const nobody = new PassThrough();
  const target = targetOf(options);
  const key = `${target.host} ${target.port}`;
  let wanted = true;
  const fresh = (): SpareDial => ({
    socket: dialToParse(dial, target, nobody, options.mayReach),
    abort: () => void nobody.destroy(),
  });
  const spare = spares.take(key);
  let begun = spare ?? fresh();
  // A spare dial may have failed because of what its own request may not reach; this request may reach more.
  const retry = (error: unknown): Promise<Socket> => {
    if (!wanted) throw error;
    begun = fresh();
    return begun.socket;
  };
  const dialled = spare?.socket.catch(retry) ?? begun.socket;
  const giveUp = (): void => {
    wanted = false;
    spares.keep(key, { socket: dialled, abort: begun.abort });
  };
  options.answer?.once('close', giveUp);
  dialled.then(
    (socket) => {
      options.answer?.off('close', giveUp);
      // A connection that the origin closes must not stay half open in the pool.
      socket.allowHalfOpen = false;
      if (wanted) callback?.(null, socket);
    },
    (error: unknown) => {
      options.answer?.off('close', giveUp);
      if (wanted) callback?.(error instanceof Error ? error : new Error('dial failed'), nobody);
    },
  );
}

/** The method that `node:http` calls on an agent. It is missing in the types, but other npm packages rely on it too. */
interface AgentInternals {
  addRequest: (request: ClientRequest, options: ClientRequestArgs) => void;
}
interface RequestInternals {
  readonly onSocket: (socket: Socket) => void;
}

/** The key of a connection within one pool. */
function nameOf({ host, port }: ClientRequestArgs): string {
  return `${host ?? ''} ${port ?? ''}`;
}

/**
 * Assigns the most recently used idle connection to a request, like `node:http`, but without copying all options.
 *
 * @returns false if there is none.
 */
function takeFree(agent: Agent, request: ClientRequest, options: ClientRequestArgs): boolean {
  const name = nameOf(options);
  const free = agent.freeSockets[name];
  const socket = free?.pop();
  if (free?.length === 0) Reflect.deleteProperty(agent.freeSockets, name);
  if (socket === undefined) return false;
  // It has died and is about to be removed; dial a new connection rather than search for another one.
  if (socket.destroyed) return false;
  const sockets: NodeJS.Dict<Socket[]> = agent.sockets;
  (sockets[name] ??= []).push(socket);
  agent.reuseSocket(socket, request);
  (request as ClientRequest & RequestInternals).onSocket(socket);
  if (options.timeout !== undefined) socket.setTimeout(options.timeout);
  return true;
}

/** Makes an agent use our dialler for new connections and {@link takeFree} for idle ones. */
function pool<A extends Agent & Partial<AgentInternals>>(agent: A, dialler: Dial): A {
  const { addRequest } = agent;
  if (addRequest === undefined) throw new Error('this Node.js calls its agents by something other than addRequest');
  const spares = createSpareDials(FREE_FOR);
  const destroy = agent.destroy.bind(agent);
  agent.addRequest = (request, options) => {
    if (!takeFree(agent, request, options)) addRequest.call(agent, request, options);
  };
  agent.getName = (options = {}) => nameOf(options);
  agent.createConnection = (options, callback) => connectBy(dialler, spares, options, callback);
  agent.destroy = () => {
    destroy();
    spares.close();
  };
  return agent;
}

/** An agent with the pooling of `node:http`, whose connections are made by `dialler`. */
export function createPool(dialler: Dial): Agent {
  return pool(new Agent(pooling), dialler);
}

/** The same for https, which `node:http` requires another agent class for. @param dialler also does the handshake. */
export function createSecurePool(dialler: Dial): SecureAgent {
  return pool(new SecureAgent(pooling), dialler);
}
