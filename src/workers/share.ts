/** What one of several workers is given of the configuration. */
import type { Limits } from '../config/limits-schema.ts';
import type { Config } from '../config/schema.ts';

/**
 * A worker's part of a limit. The kernel deals out connections without looking at whose they are, so the parts are not
 * equal: with three standard deviations of room, a client below the limit is turned away as good as never, and one far
 * above it gets a little more than the limit.
 */
export function partOf(limit: number, workers: number): number {
  const even = limit / workers;
  return Math.min(limit, Math.ceil(even + 3 * Math.sqrt(even)));
}

/** A client's requests per second stay whole: all those of one connection come to one worker. */
function partsOf(limits: Limits, workers: number): Limits {
  const part = (limit: number): number => partOf(limit, workers);
  return {
    ...limits,
    connections: part(limits.connections),
    clientConnections: part(limits.clientConnections),
    tunnels: part(limits.tunnels),
    clientTunnels: part(limits.clientTunnels),
    leafCertificates: part(limits.leafCertificates),
  };
}

/**
 * Logs and events go to the primary process, which writes them; limits are parts.
 *
 * @param tlsPort the port that the first worker was given for TLS; null: none yet.
 */
export function shareOf(config: Config, workers: number, tlsPort: number | null): Config {
  const { clients, accessLog, blockEvents, proxyTls } = config;
  const { authentication } = clients;
  const attempts = authentication === null ? 0 : partOf(authentication.attempts, workers);
  return {
    ...config,
    limits: partsOf(config.limits, workers),
    clients: { ...clients, authentication: authentication === null ? null : { ...authentication, attempts } },
    accessLog: { ...accessLog, path: accessLog.path === 'none' ? 'none' : '-' },
    blockEvents: { ...blockEvents, path: 'none', webhook: null },
    proxyTls:
      proxyTls === null || tlsPort === null
        ? proxyTls
        : { ...proxyTls, address: { ...proxyTls.address, port: tlsPort } },
  };
}

/** Whether several processes may listen on one port, each with a socket of its own; elsewhere they share one socket. */
export function canReusePort(nodeVersion: string, platform: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number);
  const knows = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
  return knows && platform === 'linux';
}
