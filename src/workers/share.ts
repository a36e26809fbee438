/** Derives the configuration of one of several workers. */
import type { Limits } from '../config/limits-schema.ts';
import type { Config } from '../config/schema.ts';

/**
 * A worker's part of a limit. The kernel does not distribute a client's connections evenly, so each part exceeds an
 * equal share by three standard deviations: clients below the limit are practically never refused, and clients far
 * above it get a little more than the limit.
 */
export function partOf(limit: number, workers: number): number {
  const even = limit / workers;
  return Math.min(limit, Math.ceil(even + 3 * Math.sqrt(even)));
}

/** Requests per second are not divided: all requests of one connection go to one worker. */
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
 * Divides limits, and sends log lines and events to the primary process, which writes them.
 *
 * @param tlsPort the first worker's bound port over TLS; null: none yet.
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

/** Whether each process can listen on the same port with its own socket; otherwise they share one. */
export function canReusePort(nodeVersion: string, platform: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number);
  const knows = major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
  return knows && platform === 'linux';
}
