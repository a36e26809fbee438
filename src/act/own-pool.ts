/**
 * Connection pools for a single client. NTLM and Negotiate authenticate a connection, not a request (RFC 4559, section
 * 6): on a shared connection, the next client would act as the user who logged in before, and the three steps of a
 * login could go to different connections.
 */
import type { Agent } from 'node:http';
import type { RequestArrival } from '../flow.ts';

const logsIn = /^\s*(?:NTLM|Negotiate|Kerberos)(?:\s|$)/i;

/** A client's connection, or its HTTP/2 session. */
interface Connection {
  readonly once: (event: 'close', listener: () => void) => unknown;
}

/** @returns a function that selects the pool of a request: a client connection has its own from its first login on. */
export function createOwnPools(): (arrival: RequestArrival, shared: Agent, make: () => Agent) => Agent {
  const pools = new WeakMap<Connection, Agent>();
  return ({ req }, shared, make) => {
    const connection: Connection | undefined = 'stream' in req ? req.stream.session : req.socket;
    if (connection === undefined) return shared;
    const own = pools.get(connection);
    if (own !== undefined) return own;
    if (!logsIn.test(req.headers.authorization ?? '')) return shared;
    const pool = make();
    pools.set(connection, pool);
    connection.once('close', () => pool.destroy());
    return pool;
  };
}
