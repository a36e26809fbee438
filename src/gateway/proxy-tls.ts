/** The proxy port over TLS, with what its files hold. */
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Config } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import { createProxyTls, type ProxyTls } from '../listen/proxy-tls.ts';

type Settings = NonNullable<Config['proxyTls']>;

/** @throws {ConfigError} naming the key of the file that cannot be used. */
function materialOf({ certFile, keyFile, clientCaFile }: Settings): Pick<SecureContextOptions, 'cert' | 'key' | 'ca'> {
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
  const material = { cert: read(certFile, 'cert_file'), key: read(keyFile, 'key_file'), ca };
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
export function openProxyTls({ proxyTls, limits }: Config): ProxyTlsPort | null {
  if (proxyTls === null) return null;
  const { clientCaFile, clientCertificate, userFrom } = proxyTls;
  const tls = createProxyTls({
    material: materialOf(proxyTls),
    clientCertificate: clientCaFile === null ? 'none' : clientCertificate,
    userFrom,
    handshakeTimeout: limits.headTimeout,
  });
  return {
    ...tls,
    follow(next) {
      if (next.proxyTls !== null) tls.renew(materialOf(next.proxyTls));
    },
  };
}
