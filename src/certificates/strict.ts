/**
 * Checks of a CA that only strict clients make. Strict means OpenSSL's `-x509_strict` (check_extensions in
 * crypto/x509/x509_vfy.c), which enforces RFC 5280, section 4.2.1; Python sets it by default since 3.13.
 */
import type { X509Certificate } from 'node:crypto';
import { findExtension } from './x509.ts';

/** Phrases that follow "because"; empty if strict clients accept it. */
export function strictFaults(certificate: X509Certificate, isRoot: boolean): readonly string[] {
  const lacks = (name: Parameters<typeof findExtension>[1]): boolean => findExtension(certificate, name) === null;
  return [
    ...(findExtension(certificate, 'basicConstraints')?.critical === false
      ? ['its basicConstraints are not critical']
      : []),
    ...(lacks('keyUsage') ? ['it has no keyUsage'] : []),
    ...(lacks('subjectKeyId') ? ['it has no subject key identifier'] : []),
    ...(!isRoot && lacks('authorityKeyId') ? ['it has no authority key identifier'] : []),
  ];
}
