/**
 * The proxy port over TLS (`https://` proxies): terminates the TLS of connections to the proxy itself, and identifies
 * the user by the client's certificate. HTTP/1.1 is spoken inside.
 */
import type { Socket } from 'node:net';
import { createServer, type PeerCertificate, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { TlsLayer } from './front-door.ts';
import { connectionKey, introduce, peerOf } from './peers.ts';

/** Which name in a client certificate identifies the user. */
export type UserFrom = 'cn' | 'email' | 'upn';

export interface ProxyTlsOptions {
  /** Certificate and key; CAs and CRLs for client certificates; protocol settings. */
  readonly material: Pick<SecureContextOptions, 'cert' | 'key' | 'ca' | 'crl'> &
    Required<Pick<SecureContextOptions, 'ciphers' | 'minVersion' | 'secureOptions'>>;
  /** `none`: no certificate is requested. */
  readonly clientCertificate: 'none' | 'optional' | 'required';
  readonly userFrom: UserFrom;
  /** Milliseconds for the handshake. */
  readonly handshakeTimeout: number;
}

export interface ProxyTls extends TlsLayer {
  /** Used from the next handshake on. */
  readonly renew: (material: ProxyTlsOptions['material']) => void;
}

/** How Node writes the types of alternative names; a UPN is an account name of Active Directory. */
const written = { email: 'email:', upn: 'othername:UPN:' } as const;

/**
 * The user of a verified certificate; undefined if it has no such name, more than one, or one with invalid characters.
 * Node.js considers a client that showed no certificate authorized once it resumes its session in TLS 1.3; an empty
 * certificate then has no subject.
 */
export function userOf(
  certificate: Partial<Pick<PeerCertificate, 'subject' | 'subjectaltname'>>,
  from: UserFrom,
): string | undefined {
  // Node gives several common names as a list, contrary to its types.
  const { CN: common } = (certificate.subject ?? {}) as { readonly CN?: string | readonly string[] };
  // Node quotes an alternative name that could be mistaken for another (CVE-2021-44532).
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
    // If certificates are optional, one from an unknown CA counts as none, but a revoked one is refused.
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
      // A client may reset a connection and reuse its port before the end of the first was noticed here. It would be
      // unclear which of the two a handshake belongs to.
      if (waiting.has(key)) {
        failed('its addresses and ports are those of a connection that is still open');
        return;
      }
      waiting.set(key, { socket, ready, failed });
      // Node.js closes a client with an invalid certificate without an event, as if it had left. Prepended, to run
      // before the listeners that forget the connection. A client that sent nothing only checked that the port is open,
      // which is no failure.
      socket.prependOnceListener('close', () => {
        if (waiting.delete(key) && socket.bytesRead > 0)
          failed('the handshake ended early, or a certificate is not valid');
      });
      server.emit('connection', socket);
    },
    renew: (material) => server.setSecureContext(material),
  };
}
