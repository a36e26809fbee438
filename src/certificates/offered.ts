/** What TLS is spoken with wherever we are its server: for leaves, and on the proxy port over TLS. */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/**
 * For clients of TLS 1.3 that cannot resume: a server should send those no ticket (RFC 8446, section 4.2.9). What OpenSSL
 * sends all the same is the shortest there is, which costs half of one that could be used.
 */
export function withoutTickets({ secureOptions = 0, ...options }: SecureContextOptions): SecureContextOptions {
  return { ...options, secureOptions: secureOptions | constants.SSL_OP_NO_TICKET };
}

/** Those of TLS 1.3 go with any key. */
const modern = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const suites = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'];

/**
 * Forward secrecy and authenticated encryption only, and no renegotiation.
 *
 * @param keys kinds of the keys that certificates may have.
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
