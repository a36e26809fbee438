/** Ends connections in a way that no peer takes for a good end. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Ends a connection by RST, where that can be: TLS has no RST of its own (its peer sees that no close_notify came),
 * and on a socket whose FIN is just being sent libuv refuses, so that Node would lose it without ever closing it.
 */
export function reset(socket: Duplex): void {
  const finSent = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (socket.destroyed || finSent || socket instanceof TLSSocket || !(socket instanceof Socket)) socket.destroy();
  else socket.resetAndDestroy();
}
