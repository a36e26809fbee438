/** State of a tunnel that is intercepted, found by the sockets of its requests. */
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../errors.ts';
import type { OuterTunnel, TrustResult } from '../flow.ts';
import { peerAddress } from '../ip.ts';
import { newId, type Origin } from './arrival.ts';
import { peerOf } from './peers.ts';

export interface Inside extends OuterTunnel {
  readonly scheme: 'http' | 'https';
  readonly clientAddress: string;
  readonly clientPort: number;
  requests: number;
  error: ErrorCode | null;
  /** Null if the handshake failed for a reason other than the leaf. */
  trust: TrustResult | null;
  /** Ends the connection, whatever is layered on it. */
  readonly cut: () => void;
}

/**
 * The state of a tunnel whose first bytes were read. Field by field: spreading `tunnel` would make a slow object on
 * Node.js 20.
 */
export function openInside(tunnel: OuterTunnel, scheme: Inside['scheme'], socket: Socket): Inside {
  const { remoteAddress, remotePort = 0 } = peerOf(socket);
  return {
    id: tunnel.id,
    target: tunnel.target,
    denial: tunnel.denial,
    user: tunnel.user,
    forwarded: tunnel.forwarded,
    scheme,
    clientAddress: peerAddress(remoteAddress),
    clientPort: remotePort,
    requests: 0,
    error: null,
    trust: 'silent',
    cut: () => void socket.destroy(),
  };
}

/** The origin of a request in a tunnel: its client is the one that opened the tunnel. */
export function originInside(inside: Inside): Origin & Pick<OuterTunnel, 'forwarded'> {
  return {
    id: newId(),
    at: Date.now(),
    started: performance.now(),
    clientAddress: inside.clientAddress,
    clientPort: inside.clientPort,
    user: inside.user,
    forwarded: inside.forwarded,
  };
}

/**
 * Property of a socket that holds its tunnel. A map would keep removed entries alive through its previous tables until
 * the old generation is collected.
 */
export const INSIDE = Symbol('inside');

export interface Marked {
  [INSIDE]?: Inside | undefined;
}

const ignore = (): void => undefined;

/**
 * Releases what a closed socket refers to: Node.js and V8 keep some sockets alive for a while, and with them everything
 * on the connection. TLSSockets live until the old generation is collected, because Node.js defines an accessor on
 * each, which V8 allocates there.
 */
export function letGo(socket: Duplex & Marked): void {
  // Not the method of streams, which checks a tick later who reads.
  EventEmitter.prototype.removeAllListeners.call(socket);
  socket.on('error', ignore);
  socket[INSIDE] = undefined;
  // Refers to the socket below TLS; other sockets have none.
  if (Reflect.get(socket, '_parent') instanceof Socket) Reflect.set(socket, '_parent', null);
}
