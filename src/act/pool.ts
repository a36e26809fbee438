/** Kept-alive connections to origins, each made by the one dial. */
import { Agent, type AgentOptions, type ClientRequest, type ClientRequestArgs } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { PassThrough, type Duplex, type Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Hostname, MayReach, Target } from '../flow.ts';
import { readInto } from '../read-into.ts';
import { createSpareDials, type SpareDials } from './spare-dials.ts';
import type { Reading } from './upstream.ts';

/** Milliseconds that an unused connection is kept; shorter than most origins keep theirs. */
const FREE_FOR = 4_000;

/**
 * Free connections to one origin. Each has carried a request in the last seconds, so that clients bound their number too;
 * with fewer than there are requests at once, nearly every request pays for a new one.
 */
const FREE_AT_MOST = 1024;

/** Without a name of a server: the agent would find one out for each request, and it is the dial that shakes hands. */
const pooling: AgentOptions & { readonly servername: string } = {
  keepAlive: true,
  maxFreeSockets: FREE_AT_MOST,
  scheduling: 'lifo',
  timeout: FREE_FOR,
  servername: '',
};

const kinds = { 0: 'name', 4: 'ipv4', 6: 'ipv6' } as const;

/** `node:http` hands over the host that the request was made with, which is the canonical one of its target. */
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

/** What a request may say of the connection that is made for it, beside what `node:http` knows of. */
export interface PoolRequest {
  readonly mayReach?: MayReach | undefined;
  /** Nobody waits for the connection any more once this is closed. */
  readonly answer?: Writable;
}

const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** The parser of `node:http` copies what it keeps of an answer, so that one piece of memory does for all origins. */
function createReading(): Reading {
  let source: Socket | null = null;
  return {
    onread: {
      buffer: shared,
      callback(length) {
        // Nobody asked for it. What it says must not become the answer to the next request.
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
  // A pooled connection is nobody's in particular: no single client's end gives it up.
  const nobody = new PassThrough();
  const target = targetOf(options);
  const key = `${target.host} ${target.port}`;
  let wanted = true;
  const fresh = (): Promise<Socket> => dialToParse(dial, target, nobody, options.mayReach);
  // What one request may not reach, another one may.
  const dialled =
    spares.take(key)?.catch((error: unknown) => {
      if (wanted) return fresh();
      throw error;
    }) ?? fresh();
  const giveUp = (): void => {
    wanted = false;
    spares.keep(key, dialled);
  };
  options.answer?.once('close', giveUp);
  dialled.then(
    (socket) => {
      options.answer?.off('close', giveUp);
      // An origin that closes a pooled connection must not leave it half open in the pool.
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

/** All that connections of one pool differ by. */
function nameOf({ host, port }: ClientRequestArgs): string {
  return `${host ?? ''} ${port ?? ''}`;
}

/**
 * Takes the free connection that was used last for a request, as `node:http` does it, but without the copies of all
 * options that it makes for that.
 *
 * @returns false: there is none.
 */
function takeFree(agent: Agent, request: ClientRequest, options: ClientRequestArgs): boolean {
  const name = nameOf(options);
  const free = agent.freeSockets[name];
  const socket = free?.pop();
  if (free?.length === 0) Reflect.deleteProperty(agent.freeSockets, name);
  if (socket === undefined) return false;
  // It is on its way out of the list by itself; its place is not worth a search for another.
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

/** An agent with the default pooling of `node:http`, whose connections are dialled by us. */
export function createPool(dialler: Dial): Agent {
  return pool(new Agent(pooling), dialler);
}

/** The same for https, which `node:http` wants an agent of its own kind for. @param dialler shakes hands too. */
export function createSecurePool(dialler: Dial): SecureAgent {
  return pool(new SecureAgent(pooling), dialler);
}
