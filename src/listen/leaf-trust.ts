/** What a client made of the leaf that it was shown, by the error that its connection ended with. */
import type { ErrorCode } from '../errors.ts';
import type { TrustResult } from '../flow.ts';

/** TLS alerts with which a client says that it does not trust the leaf (RFC 8446, section 6.2). */
const distrust = /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|UNSUPPORTED_CERTIFICATE)/;

/** What OpenSSL and Node.js say of a handshake that both sides were there for: of versions, ciphers, ALPN, its time. */
const misfit = /^ERR_(?:SSL|TLS)_/;

/** How records call a handshake that failed, or a session that ended, with this error. */
export function tlsErrorCode({ code = '' }: NodeJS.ErrnoException): ErrorCode {
  if (distrust.test(code)) return 'client_rejected_ca';
  return misfit.test(code) ? 'proxy_tls_error' : 'client_closed';
}

/**
 * What the error says of a client that has sent no request; null where it is about something else than the leaf. An end (FIN) before that of the handshake has the code of a reset in Node.js too,
 * but no system call.
 */
export function trustOf({ code = '', syscall }: NodeJS.ErrnoException): TrustResult | null {
  if (code.endsWith('ALERT_UNKNOWN_CA')) return 'unknown_ca';
  if (distrust.test(code)) return 'bad_certificate';
  if (code === 'ECONNRESET' || code === 'EPIPE') return syscall === undefined ? 'silent' : 'reset';
  return null;
}
