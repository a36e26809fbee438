/** The part of sallyport.yaml that says how much is enough. */
import { z } from 'zod';
import { duration, strict } from './scalars.ts';

/** A client is an IPv4 address, or the /64 of an IPv6 address. Durations are in milliseconds. */
export interface Limits {
  readonly connections: number;
  readonly clientConnections: number;
  readonly tunnels: number;
  readonly clientTunnels: number;
  /** Requests of one client per second, CONNECTs among them; 0: as many as it likes. */
  readonly clientRequests: number;
  /** How long a connection of a client may last. */
  readonly connectionLifetime: number;
  /** Leaf certificates made per second; more wait, and then are refused. */
  readonly leafCertificates: number;
  readonly headTimeout: number;
  /** From a request that is whole until the origin begins to answer. */
  readonly responseTimeout: number;
  readonly drainTimeout: number;
}

const count = z.number().int().min(1).max(1_000_000);

export const limitsSchema = strict({
  connections: count.default(20_000),
  client_connections: count.optional(),
  tunnels: count.optional(),
  client_tunnels: count.optional(),
  client_requests: z.number().int().min(0).max(1_000_000).default(0),
  connection_lifetime: duration.prefault('1d'),
  leaf_certificates: z.number().int().min(1).max(10_000).default(200),
  head_timeout: duration.prefault('15s'),
  response_timeout: duration.prefault('10m'),
  drain_timeout: duration.prefault('30s'),
});

/** No client takes all there is, where there is enough to keep some for others. */
function forOne(all: number): number {
  return all < 1_000 ? all : Math.floor(all * 0.95);
}

export function toLimits(given: z.output<typeof limitsSchema>): Limits {
  const tunnels = given.tunnels ?? given.connections;
  return {
    connections: given.connections,
    clientConnections: given.client_connections ?? forOne(given.connections),
    tunnels,
    clientTunnels: given.client_tunnels ?? forOne(tunnels),
    clientRequests: given.client_requests,
    connectionLifetime: given.connection_lifetime,
    leafCertificates: given.leaf_certificates,
    headTimeout: given.head_timeout,
    responseTimeout: given.response_timeout,
    drainTimeout: given.drain_timeout,
  };
}
