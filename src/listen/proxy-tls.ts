/**
 * The proxy port over TLS (`https://` proxies): ends the TLS that is around a connection to the proxy itself, and says
 * whose certificate the client showed. HTTP/1.1 is what is spoken in it.
 */
import type { Socket } from 'node:net';
import { createServer, type PeerCertificate, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { TlsLayer } from './front-door.ts';
import { connectionKey, introduce, peerOf } from './peers.ts';

/** Which name of a client certificate is the user. */
export type UserFrom = 'cn' | 'email' | 'upn';

export interface ProxyTlsOptions {
  /**
   * Certificate, key and, where clients have to show one, the authorities that theirs come from and what these revoked;
   * and what all of it is spoken with.
   */
  readonly material: Pick<SecureContextOptions, 'cert' | 'key' | 'ca' | 'crl'> &
    Required<Pick<SecureContextOptions, 'ciphers' | 'minVersion' | 'secureOptions'>>;
  /** `none`: clients are not asked for a certificate. */
  readonly clientCertificate: 'none' | 'optional' | 'required';
  readonly userFrom: UserFrom;
  /** Milliseconds for the handshake. */
  readonly handshakeTimeout: number;
}

export interface ProxyTls extends TlsLayer {
  /** Used from the next handshake on. */
  readonly renew: (material: ProxyTlsOptions['material']) => void;
}

/** How Node writes the kinds of an alternative name; a UPN is what Active Directory calls an account. */
const written = { email: 'email:', upn: 'othername:UPN:' } as const;

/**
 * The user of a certificate that was verified. Undefined where it has no such name, or more than one, or one with
 * characters that no name has.
 */
export function userOf(
  certificate: Pick<PeerCertificate, 'subject' | 'subjectaltname'>,
  from: UserFrom,
): string | undefined {
  // Node gives several common names of a subject as a list, whatever its types say.
  const { CN: common } = certificate.subject as { readonly CN?: string | readonly string[] };
  // Node quotes an alternative name that holds what could be taken for another one (CVE-2021-44532).
  const alternatives = (kind: string): string[] =>
    (certificate.subjectaltname ?? '')
      .split(', ')
      .flatMap((name) => (name.startsWith(kind) ? name.slice(kind.length) : []));
  const names = from === 'cn' ? [common] : alternatives(written[from]);
  const name = names.length === 1 ? names[0] : undefined;
  return typeof name === 'string' && /^[^\p{Cc}"]{1,256}$/u.test(name) ? name : undefined;
}

interface Waiting {
  readonly socket: Socket;
  readonly ready: (inner: Socket) => void;
  readonly failed: (detail: string) => void;
}

export function createProxyTls(options: ProxyTlsOptions): ProxyTls {
  const waiting = new Map<string, Waiting>();
  const take = (socket: TLSSocket): Waiting | undefined => {
    const key = connectionKey(socket);
    const found = waiting.get(key);
    waiting.delete(key);
    return found;
  };
  const server = createServer({
    ...options.material,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: options.handshakeTimeout,
    requestCert: options.clientCertificate !== 'none',
    rejectUnauthorized: options.clientCertificate === 'required',
  });
  server.on('secureConnection', (inner) => {
    const outer = take(inner);
    if (outer === undefined) {
      inner.destroy();
      return;
    }
    inner.on('error', () => undefined);
    const user = inner.authorized ? userOf(inner.getPeerCertificate(), options.userFrom) : undefined;
    const { remoteAddress, remotePort } = peerOf(outer.socket);
    introduce(inner, { remoteAddress, remotePort, ...(user !== undefined && { user }) });
    // Where no certificate is required, one by a stranger counts as none; a revoked one is turned away all the same.
    if ((inner.authorizationError as unknown) === 'CERT_REVOKED') outer.failed("the client's certificate is revoked");
    else if (options.clientCertificate === 'required' && user === undefined)
      outer.failed(`the client's certificate does not have exactly one ${options.userFrom} to use as the user`);
    else outer.ready(inner);
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, inner) => {
    take(inner)?.failed(error.code ?? 'the handshake failed');
  });

  return {
    handshake(socket, ready, failed) {
      const key = connectionKey(socket);
      // A client may reset a connection and open the same once more before the end of the first was seen here. Which of the
      // two a handshake is for, nobody could tell.
      if (waiting.has(key)) {
        failed('its addresses and ports are those of a connection that is still open');
        return;
      }
      waiting.set(key, { socket, ready, failed });
      // A client whose certificate does not hold is ended by Node.js without an event, and looks like one that changed its
      // mind. Prepended, so that it runs before the listeners that forget the connection; a client that sent nothing only
      // looked whether the port is open, which is no failure.
      socket.prependOnceListener('close', () => {
        if (waiting.delete(key) && socket.bytesRead > 0)
          failed('the handshake ended early, or a certificate is not valid');
      });
      server.emit('connection', socket);
    },
    renew: (material) => server.setSecureContext(material),
  };
}
