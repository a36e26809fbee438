/**
 * Who is really at the other end of a connection, where its own address does not tell: a load balancer stands before
 * it, or TLS around it.
 */
import type { Socket } from 'node:net';

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

/** A peer's address without the `::ffff:` that a dual-stack socket puts before IPv4. */
export function peerAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * What limits per client are counted by: an IPv4 address, or the /64 of an IPv6 address, in which one machine can have
 * as many addresses as it likes (RFC 8981).
 */
export function clientKey(address: string): string {
  const plain = peerAddress(address);
  if (!plain.includes(':')) return plain;
  const [left = '', right] = plain.split('%', 1)[0]?.split('::', 2) ?? [];
  const words = left === '' ? [] : left.split(':');
  // A dotted tail stands for two words.
  const tail = right === undefined || right === '' ? 0 : right.split(':').length + (right.includes('.') ? 1 : 0);
  const zeros = right === undefined ? 0 : 8 - words.length - tail;
  const whole = [...words, ...new Array<string>(Math.max(0, zeros)).fill('0'), ...(right ?? '').split(':')];
  return whole
    .slice(0, 4)
    .map((word) => word.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':');
}
