/** The proxy port over TLS, with the certificate in its files or with one of our own CA. */
import { X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Authority } from '../certificates/authority.ts';
import { isDue } from '../certificates/leaves.ts';
import { offered } from '../certificates/offered.ts';
import { mintPortLeaf, type PortLeaf } from '../certificates/port-leaf.ts';
import { readNamedFile } from '../config/named-file.ts';
import type { Config } from '../config/schema.ts';
import { ConfigError, SallyportError } from '../errors.ts';
import { createProxyTls, type ProxyTls, type ProxyTlsOptions } from '../listen/proxy-tls.ts';
import { readRevocations, type Revocations } from './revocations.ts';

type Settings = NonNullable<Config['proxyTls']>;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * Reads the revocation lists for client certificates, and warns of one that has expired or soon will: OpenSSL then
 * rejects all client certificates.
 */
function revokedOf(file: string, log: (line: string) => void): Revocations {
  const revocations = readRevocations(file);
  const { until } = revocations;
  const left = until - Date.now();
  if (left < DAY) {
    const at = new Date(until).toISOString();
    const end = left < 0 ? `expired at ${at}, so every client certificate is refused` : `expires at ${at}`;
    log(`${file}: a list of revoked certificates ${end}; download it again and reload`);
  }
  return revocations;
}

/**
 * Warns of a certificate that clients refuse, or will refuse within a week. Certificates that live for only days are
 * renewed in their last third, so the warning about these comes later.
 *
 * @returns when it expires, epoch milliseconds.
 */
function checkValidity(file: string, pem: Buffer, log: (line: string) => void): number {
  const { validFrom, validTo } = new X509Certificate(pem);
  const [from, until, now] = [Date.parse(validFrom), Date.parse(validTo), Date.now()];
  if (from <= now && until - now > Math.min(7 * DAY, (until - from) / 4)) return until;
  const [word, at] = from > now ? ['is not valid before', from] : [until <= now ? 'expired at' : 'expires at', until];
  const cure = from > now ? 'check the clock of this machine' : 'replace it and reload';
  log(`${file}: the certificate of the proxy port over TLS ${word} ${new Date(at).toISOString()}; ${cure}`);
  return until;
}

type Material = ProxyTlsOptions['material'];

/** When the files of the port expire, epoch milliseconds, by their keys below `listen.proxy_tls`. */
export type FileExpiry = Readonly<Partial<Record<'cert_file' | 'client_crl_file', number>>>;

export interface Loaded {
  readonly material: Material;
  readonly expiry: FileExpiry;
}

/**
 * @param leaf used if no certificate is configured.
 * @throws {ConfigError} naming the key of the file that cannot be used.
 */
export function materialOf(
  { files, clientCaFile, clientCrlFile }: Settings,
  leaf: PortLeaf | null,
  log: (line: string) => void,
): Loaded {
  const read = (file: string, key: string): Buffer => readNamedFile(file, `listen.proxy_tls.${key}`);
  const own = files === null ? null : { cert: read(files.cert, 'cert_file'), key: read(files.key, 'key_file') };
  const revocations = clientCrlFile === null ? null : revokedOf(clientCrlFile, log);
  const material = {
    ...offered('ECDSA', 'RSA'),
    ...shown(leaf),
    ...own,
    // Empty, so that no public CA can vouch for clients.
    ca: clientCaFile === null ? [] : read(clientCaFile, 'client_ca_file'),
    ...(revocations !== null && { crl: [...revocations.pems] }),
  };
  try {
    createSecureContext(material);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'not PEM';
    const file = files?.cert ?? clientCaFile ?? 'listen.proxy_tls';
    throw new ConfigError(`${file}: certificate, key and authority do not match (${why}); correct listen.proxy_tls`);
  }
  return {
    material,
    expiry: {
      ...(files !== null && own !== null && { cert_file: checkValidity(files.cert, own.cert, log) }),
      ...(revocations !== null && { client_crl_file: revocations.until }),
    },
  };
}

function shown(leaf: PortLeaf | null): Pick<Material, 'cert' | 'key'> {
  return leaf === null ? {} : { cert: leaf.cert, key: leaf.key };
}

export interface ProxyTlsPort extends ProxyTls {
  /** Prepares a new configuration; the result puts it into force. @throws {ConfigError} */
  readonly toFollow: (config: Config) => () => void;
  readonly expiry: () => FileExpiry;
}

export interface OpenOptions {
  /** Issues the certificate if none is configured. */
  readonly authority: Authority;
  /** Key of that certificate. */
  readonly key: KeyObject;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** Null if the configuration has no such port. @throws {ConfigError} */
export function openProxyTls(
  { proxyTls, limits, certificates }: Config,
  { authority, key, now, log }: OpenOptions,
): ProxyTlsPort | null {
  if (proxyTls === null) return null;
  /** Null if a certificate is configured. */
  const leafFor = ({ serverNames: [first, ...others] }: Settings, old: PortLeaf | null): PortLeaf | null => {
    if (first === undefined) return null;
    try {
      return mintPortLeaf(authority, [first, ...others], { key, leafDays: certificates.leafDays, now: now() });
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      if (old === null)
        throw new ConfigError(`${error.message}; supply a valid one, or set listen.proxy_tls.cert_file`);
      // The old certificate stays: a policy must come into force nevertheless, and some clients ignore dates.
      log(`the certificate of listen.proxy_tls was not renewed: ${error.message}`);
      return { ...old, from: -Infinity, renewal: now() + HOUR };
    }
  };
  let settings = proxyTls;
  let leaf = leafFor(settings, null);
  let { material, expiry } = materialOf(settings, leaf, log);
  const { clientCaFile, clientCertificate, userFrom } = settings;
  const tls = createProxyTls({
    material,
    clientCertificate: clientCaFile === null ? 'none' : clientCertificate,
    userFrom,
    handshakeTimeout: limits.headTimeout,
  });

  return {
    ...tls,
    handshake(socket, ready, failed) {
      // Checked when connections arrive: timers stop while a machine sleeps, and its clock may be set.
      if (leaf !== null && isDue(leaf, now())) {
        leaf = leafFor(settings, leaf);
        // The other files stay as the last reload read them.
        material = { ...material, ...shown(leaf) };
        tls.renew(material);
      }
      tls.handshake(socket, ready, failed);
    },
    toFollow({ proxyTls: next }) {
      if (next === null) return () => undefined;
      const fresh = leafFor(next, leaf);
      const made = materialOf(next, fresh, log);
      return () => {
        [settings, leaf] = [next, fresh];
        ({ material, expiry } = made);
        tls.renew(material);
      };
    },
    expiry: () => expiry,
  };
}
