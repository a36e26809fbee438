/** The proxy port over TLS, with what its files hold. */
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Config } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import { createProxyTls, type ProxyTls } from '../listen/proxy-tls.ts';
import { readRevocations } from './revocations.ts';

type Settings = NonNullable<Config['proxyTls']>;

const DAY = 86_400_000;

/** What clients' certificates are held against; tells of a list that has come to its end, for then none of them holds. */
function revokedOf(file: string, log: (line: string) => void): string[] {
  const { pems, until } = readRevocations(file);
  const left = until - Date.now();
  if (left < DAY) {
    const end = left < 0 ? 'expired; every client certificate is refused' : 'expires';
    log(`${file}: a list of revoked certificates ${end} at ${new Date(until).toISOString()}; fetch it anew and reload`);
  }
  return [...pems];
}

/** @throws {ConfigError} naming the key of the file that cannot be used. */
function materialOf(
  { certFile, keyFile, clientCaFile, clientCrlFile }: Settings,
  log: (line: string) => void,
): Pick<SecureContextOptions, 'cert' | 'key' | 'ca' | 'crl'> {
  const read = (file: string, key: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      throw new ConfigError(`${file}: cannot be read (${code}); correct listen.proxy_tls.${key}`);
    }
  };
  // An empty list: no public authority is to vouch for clients.
  const ca = clientCaFile === null ? [] : read(clientCaFile, 'client_ca_file');
  const material = {
    cert: read(certFile, 'cert_file'),
    key: read(keyFile, 'key_file'),
    ca,
    ...(clientCrlFile !== null && { crl: revokedOf(clientCrlFile, log) }),
  };
  try {
    createSecureContext(material);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'not PEM';
    throw new ConfigError(
      `${certFile}: certificate, key and authority do not go together (${why}); correct listen.proxy_tls`,
    );
  }
  return material;
}

export interface ProxyTlsPort extends ProxyTls {
  readonly follow: (config: Config) => void;
}

/** Null where the configuration has no such port. @throws {ConfigError} */
export function openProxyTls({ proxyTls, limits }: Config, log: (line: string) => void): ProxyTlsPort | null {
  if (proxyTls === null) return null;
  const { clientCaFile, clientCertificate, userFrom } = proxyTls;
  const tls = createProxyTls({
    material: materialOf(proxyTls, log),
    clientCertificate: clientCaFile === null ? 'none' : clientCertificate,
    userFrom,
    handshakeTimeout: limits.headTimeout,
  });
  return {
    ...tls,
    follow(next) {
      if (next.proxyTls !== null) tls.renew(materialOf(next.proxyTls, log));
    },
  };
}
