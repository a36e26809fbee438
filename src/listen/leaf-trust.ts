/** What the error of a connection says about the client's trust in our leaf. */
import type { ErrorCode } from '../errors.ts';
import type { TrustResult } from '../flow.ts';

/** TLS alerts by which a client rejects the leaf (RFC 8446, section 6.2). */
const distrust = /ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|UNSUPPORTED_CERTIFICATE)/;

/** Errors of OpenSSL and Node.js about versions, ciphers, ALPN and timeouts. */
const misfit = /^ERR_(?:SSL|TLS)_/;

/** The error code to record for a failed handshake or session. */
export function tlsErrorCode({ code = '' }: NodeJS.ErrnoException): ErrorCode {
  if (distrust.test(code)) return 'client_rejected_ca';
  return misfit.test(code) ? 'proxy_tls_error' : 'client_closed';
}

/**
 * What the error says of a client that has sent no request; null if it is not about the leaf. In Node.js a FIN during
 * the handshake has the code of a reset too, but no system call.
 */
export function trustOf({ code = '', syscall }: NodeJS.ErrnoException): TrustResult | null {
  if (code.endsWith('ALERT_UNKNOWN_CA')) return 'unknown_ca';
  if (distrust.test(code)) return 'bad_certificate';
  if (code === 'ECONNRESET' || code === 'EPIPE') return syscall === undefined ? 'silent' : 'reset';
  return null;
}
