/** TLS to origins: decrypted requests are forwarded only to an origin that has proven its name. */
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { SallyportError } from '../errors.ts';
import type { MayReach, Target } from '../flow.ts';
import type { Dialler } from './upstream.ts';

export interface SecureDialler {
  /**
   * Connects to a target and completes the TLS handshake, which verifies the origin's certificate. Offers HTTP/1.1.
   *
   * @throws {SallyportError} as {@link Dialler.dial}, and `tls_certificate_error`, `tls_protocol_error`.
   */
  readonly dial: (
    target: Target,
    client: Duplex,
    options?: { readonly mayReach?: MayReach | undefined },
  ) => Promise<TLSSocket>;
}

/** OpenSSL's error codes for the chain, and Node's for the name. */
const certificateFault =
  /^(?:ERR_TLS_CERT_ALTNAME|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_|ERROR_IN_CERT_|CRL_)/;

function failureOf(error: NodeJS.ErrnoException): SallyportError {
  const code = error.code ?? '';
  const known = certificateFault.test(code) ? 'tls_certificate_error' : 'tls_protocol_error';
  return new SallyportError(known, `${code} ${error.message}`.trim(), { cause: error });
}

/** Node.js falls back to the common name if there is no subjectAltName; browsers no longer do (RFC 9525, section 2). */
function checkNames(host: string, certificate: PeerCertificate): Error | undefined {
  const named = isIP(host) === 0 ? /(?:^|, )DNS:/ : /(?:^|, )IP Address:/;
  if (named.test(certificate.subjectaltname ?? '')) return checkServerIdentity(host, certificate);
  const problem = new Error(`the certificate has no subjectAltName of the same kind as ${host}`);
  return Object.assign(problem, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}

/**
 * @param roots the PEM certificates of the CAs that origins are verified against; called once, on the first dial.
 * @param timeout milliseconds for the handshake.
 */
export function createSecureDialler(options: {
  readonly dialler: Dialler;
  readonly roots: () => readonly string[];
  readonly timeout: number;
}): SecureDialler {
  let context: SecureContext | null = null;
  return {
    async dial(target, client, { mayReach } = {}) {
      const socket: Socket = await options.dialler.dial(target, client, { mayReach });
      context ??= createSecureContext({ ca: [...options.roots()], minVersion: 'TLSv1.2' });
      const secure = connect({
        socket,
        host: target.host,
        ...(target.kind === 'name' && { servername: target.host }),
        secureContext: context,
        checkServerIdentity: checkNames,
        ALPNProtocols: ['http/1.1'],
      });
      return new Promise((resolve, reject) => {
        const settle = (): void => {
          clearTimeout(timer);
          client.off('close', onGone);
          secure.off('error', onError).off('close', onClose);
        };
        const fail = (error: SallyportError): void => {
          settle();
          secure.on('error', () => undefined).destroy();
          socket.destroy();
          reject(error);
        };
        const onGone = (): void => fail(new SallyportError('client_closed'));
        const onError = (error: Error): void => fail(failureOf(error));
        const onClose = (): void => fail(new SallyportError('tls_protocol_error', 'closed during the handshake'));
        const timer = setTimeout(
          () => fail(new SallyportError('connection_timeout', `no TLS handshake in ${options.timeout} ms`)),
          options.timeout,
        );
        client.once('close', onGone);
        secure.once('error', onError).once('close', onClose);
        secure.once('secureConnect', () => {
          settle();
          // Until the caller adds its own listener, a reset must not be an uncaught error.
          secure.on('error', () => undefined);
          resolve(secure);
        });
      });
    },
  };
}
