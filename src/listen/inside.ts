/** What is known of a tunnel whose client is talked to here, found by the sockets that its requests come through. */
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
  /** Null where the handshake failed over something else than the leaf. */
  trust: TrustResult | null;
  /** Ends the connection, whatever stands on it. */
  readonly cut: () => void;
}

/** Of a tunnel whose first words were read. Field by field: to spread `tunnel` would make a slow object on Node.js 20. */
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

/** Of what comes through a tunnel: its client is the one that opened it, whatever stands between. */
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
 * Where a socket that was handed to a server here keeps its tunnel. Not in a map: those come and go with each connection,
 * and the tables of a map that was emptied keep alive what was in them until the old generation is collected.
 */
export const INSIDE = Symbol('inside');

export interface Marked {
  [INSIDE]?: Inside | undefined;
}

const ignore = (): void => undefined;

/**
 * Lets go of a socket that has closed: Node.js and V8 between them keep some of it alive for a while, and with it
 * everything that ever stood on the connection. Of a TLSSocket all, until the old generation is collected: Node.js defines an
 * accessor for each, and V8 allocates those there.
 */
export function letGo(socket: Duplex & Marked): void {
  // Not that of streams, which looks once more, a tick later, who reads.
  EventEmitter.prototype.removeAllListeners.call(socket);
  socket.on('error', ignore);
  socket[INSIDE] = undefined;
  // Leads to the socket below TLS; other sockets have none.
  if (Reflect.get(socket, '_parent') instanceof Socket) Reflect.set(socket, '_parent', null);
}
