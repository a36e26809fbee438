/** Ends connections so that no peer mistakes it for a regular end. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Ends a connection by RST if possible, and otherwise destroys the socket: TLS has no RST (the peer notices the missing
 * close_notify), and if a FIN is being sent, libuv refuses the RST and Node would never close the socket.
 */
export function reset(socket: Duplex): void {
  const finSent = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (socket.destroyed || finSent || socket instanceof TLSSocket || !(socket instanceof Socket)) socket.destroy();
  else socket.resetAndDestroy();
}

/** Resets a connection once its peer has ended it, or now if it already has. @returns a function that cancels this. */
export function resetAtEnd(socket: Duplex): () => void {
  const leave = (): void => reset(socket);
  if (socket.readableEnded) leave();
  else socket.once('end', leave);
  return () => void socket.off('end', leave);
}

/** Receives the result of getpeername(2), which is not used. */
const address = {};

/**
 * Whether a connection whose end was read was really reset: libuv reports a reset as an end if unread bytes preceded
 * it. getpeername(2) fails after a reset, but not after a FIN. After a FIN of our own the two look the same, and count
 * as regular.
 */
export function wasReset(socket: Duplex): boolean {
  if (socket.writableEnded) return false;
  const handle: unknown = Reflect.get(socket, '_handle');
  const ask: unknown = Reflect.get(Object(handle), 'getpeername');
  return typeof ask === 'function' && Reflect.apply(ask, handle, [address]) !== 0;
}
