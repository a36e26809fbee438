/**
 * Connections to origins that are one client's own. NTLM and Negotiate log in a connection and not a request (RFC 4559,
 * section 6): whoever came next on a connection that all share would be taken for the person who logged in before, and
 * the three steps of a login would each go to another connection.
 */
import type { Agent } from 'node:http';
import type { RequestArrival } from '../flow.ts';

const logsIn = /^\s*(?:NTLM|Negotiate|Kerberos)(?:\s|$)/i;

/** A connection of a client, or its HTTP/2 session. */
interface Connection {
  readonly once: (event: 'close', listener: () => void) => unknown;
}

/** @returns what gives the pool of a request: from its first such login on, a client connection has one of its own. */
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
