/**
 * Who is really at the other end of a connection, where its own address does not tell: a load balancer stands before
 * it, or TLS around it.
 */
import type { Socket } from 'node:net';
import { ipv6Words, peerAddress } from '../ip.ts';

/** What is asked of a socket here; streams that are typed as less have it too. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** The name in the certificate that it showed. */
  readonly user?: string | undefined;
}

const introduced = new WeakMap<object, Peer>();

/** From now on whoever asks about this socket hears of that peer. */
export function introduce(socket: object, peer: Peer): void {
  introduced.set(socket, peer);
}

export function peerOf(socket: Peer & object): Peer {
  return introduced.get(socket) ?? socket;
}

/**
 * What tells a connection from all others that are open: both addresses and both ports. A TLS socket has those of the
 * socket that it wraps.
 */
export function connectionKey(
  socket: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>,
): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}

/**
 * What limits per client are counted by: an IPv4 address, or the /64 of an IPv6 address, in which one machine can have
 * as many addresses as it likes (RFC 8981).
 */
export function clientKey(address: string): string {
  const plain = peerAddress(address);
  if (!plain.includes(':')) return plain;
  const [a = 0, b = 0, c = 0, d = 0] = ipv6Words(plain);
  return `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}:${d.toString(16)}`;
}
