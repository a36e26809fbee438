/** TLS settings of our servers: those that present leaves, and the proxy port over TLS. */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/**
 * Options for TLS 1.3 clients that cannot resume, which should get no ticket (RFC 8446, section 4.2.9). OpenSSL still
 * sends one, but the shortest possible, at half the cost of a usable ticket.
 */
export function withoutTickets({ secureOptions = 0, ...options }: SecureContextOptions): SecureContextOptions {
  return { ...options, secureOptions: secureOptions | constants.SSL_OP_NO_TICKET };
}

/** The suites of TLS 1.3 work with any key. */
const modern = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const suites = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'];

/**
 * Allows only cipher suites with forward secrecy and authenticated encryption, and no renegotiation.
 *
 * @param keys types of the certificates' keys.
 */
export function offered(
  ...keys: readonly ('ECDSA' | 'RSA')[]
): Required<Pick<SecureContextOptions, 'ciphers' | 'minVersion' | 'secureOptions'>> {
  const older = suites.flatMap((suite) => keys.map((key) => `ECDHE-${key}-${suite}`));
  return {
    ciphers: [...modern, ...older].join(':'),
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}
