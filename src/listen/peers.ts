/**
 * Finds the real client of a connection if the socket's own address is not the client's: behind a load balancer, or on
 * top of TLS.
 */
import type { Socket } from 'node:net';
import { ipv6Words, peerAddress } from '../ip.ts';

/** The properties of a socket that are used here; some streams have them without their types saying so. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** The user in the client's certificate. */
  readonly user?: string | undefined;
}

const introduced = new WeakMap<object, Peer>();

/** Sets the peer that {@link peerOf} returns for this socket. */
export function introduce(socket: object, peer: Peer): void {
  introduced.set(socket, peer);
}

export function peerOf(socket: Peer & object): Peer {
  return introduced.get(socket) ?? socket;
}

/** Identifies an open connection: both addresses and both ports. A TLS socket has those of the socket that it wraps. */
export function connectionKey(
  socket: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>,
): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}

/**
 * Key for limits per client: an IPv4 address, or the /64 of an IPv6 address, in which one machine can have any number
 * of addresses (RFC 8981).
 */
export function clientKey(address: string): string {
  const plain = peerAddress(address);
  if (!plain.includes(':')) return plain;
  const [a = 0, b = 0, c = 0, d = 0] = ipv6Words(plain);
  return `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}:${d.toString(16)}`;
}
