/** The CAs against which origins are verified: those of the system, and the company's own. */
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { ConfigError } from '../errors.ts';
import { readWhole } from '../read-whole.ts';
import { systemCode } from './key-files.ts';

/** Bundles of Debian, Fedora, SUSE, Alpine and the BSDs. */
export const bundles: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** The certificates in a text, each as PEM. */
export function certificatesIn(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

/** The system's CAs, which its owner may have changed; if no bundle is found, those of Node.js. */
function systemRoots(files: readonly string[]): readonly string[] {
  for (const file of files) {
    try {
      const found = certificatesIn(readWhole(file).toString());
      if (found.length > 0) return found;
    } catch {
      // Most systems have only one of these files.
    }
  }
  return rootCertificates;
}

function readOwn(file: string): readonly string[] {
  let text: string;
  try {
    text = readWhole(file).toString();
  } catch (error) {
    throw new ConfigError(
      `${file}: the file of authorities cannot be read (${systemCode(error)}); correct outbound.ca_file`,
    );
  }
  const found = certificatesIn(text);
  if (found.length === 0)
    throw new ConfigError(`${file}: it contains no certificate; outbound.ca_file must name a file in PEM form`);
  for (const [i, pem] of found.entries()) {
    try {
      new X509Certificate(pem);
    } catch {
      throw new ConfigError(
        `${file}: certificate ${i + 1} of ${found.length} cannot be read; correct outbound.ca_file`,
      );
    }
  }
  return found;
}

/**
 * Reads `ownFile` now, and the system's bundle on each call of the returned function.
 *
 * @param ownFile PEM of CAs in addition to those of the system; null if there are none.
 * @param systemFiles tried in this order.
 * @throws {ConfigError} if `ownFile` cannot be used.
 */
export function trustedRoots(
  ownFile: string | null,
  systemFiles: readonly string[] = bundles,
): () => readonly string[] {
  const own = ownFile === null ? [] : readOwn(ownFile);
  return () => [...systemRoots(systemFiles), ...own];
}
