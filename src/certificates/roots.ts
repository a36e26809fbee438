/** The authorities that origins are verified against: those of the system, and the company's own. */
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { ConfigError } from '../errors.ts';
import { readWhole } from '../read-whole.ts';
import { systemCode } from './key-files.ts';

/** Where Debian, Fedora, SUSE, Alpine and the BSDs keep all that they trust, in one file. */
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

/** What the machine trusts, which its owner may have added to or taken from; else what Node.js brings along. */
function systemRoots(files: readonly string[]): readonly string[] {
  for (const file of files) {
    try {
      const found = certificatesIn(readWhole(file).toString());
      if (found.length > 0) return found;
    } catch {
      // Every system has but one of them.
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
 * @param ownFile PEM of authorities beside those of the system; null: none.
 * @param systemFiles tried in this order.
 * @throws {ConfigError} where `ownFile` cannot be used.
 */
export function trustedRoots(
  ownFile: string | null,
  systemFiles: readonly string[] = bundles,
): () => readonly string[] {
  const own = ownFile === null ? [] : readOwn(ownFile);
  return () => [...systemRoots(systemFiles), ...own];
}
