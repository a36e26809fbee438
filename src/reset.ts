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

/** Resets a connection once its peer has ended, or at once where it has. @returns takes that back. */
export function resetAtEnd(socket: Duplex): () => void {
  const leave = (): void => reset(socket);
  if (socket.readableEnded) leave();
  else socket.once('end', leave);
  return () => void socket.off('end', leave);
}

/** What is written into it is of no interest. */
const address = {};

/**
 * Whether a connection whose end was read was reset in truth: libuv tells a reset behind bytes that had
 * not been read yet as an end. A socket that was reset has no peer any more, one that got a FIN has
 * (getpeername(2)); not after a FIN of our own, when both ends look the same, and count as good.
 */
export function wasReset(socket: Duplex): boolean {
  if (socket.writableEnded) return false;
  const handle: unknown = Reflect.get(socket, '_handle');
  const ask: unknown = Reflect.get(Object(handle), 'getpeername');
  return typeof ask === 'function' && Reflect.apply(ask, handle, [address]) !== 0;
}
