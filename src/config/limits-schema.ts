/** The part of sallyport.yaml about limits. */
import { z } from 'zod';
import { duration, strict } from './scalars.ts';

/** A client is an IPv4 address, or the /64 of an IPv6 address. Durations are in milliseconds. */
export interface Limits {
  readonly connections: number;
  readonly clientConnections: number;
  readonly tunnels: number;
  readonly clientTunnels: number;
  /** Requests per second of one client, including CONNECTs; 0: unlimited. */
  readonly clientRequests: number;
  /** Maximum duration of a client's connection. */
  readonly connectionLifetime: number;
  /** Leaf certificates minted per second; more wait, and are then refused. */
  readonly leafCertificates: number;
  readonly headTimeout: number;
  /** From the complete request to the beginning of the response. */
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

/** One client cannot use up everything, if there is enough to reserve some for others. */
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
