/** Bytes both ways between two sockets, until both ends are done. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../errors.ts';

export interface Relayed {
  /** Null where both sides ended in good order. */
  readonly error: ErrorCode | null;
}

/** A socket that is cut, and not ended, tells its peer so: half a download must never look whole. */
function cut(socket: Duplex): void {
  if (socket.destroyed) return;
  if ('resetAndDestroy' in socket) (socket as Socket).resetAndDestroy();
  else socket.destroy();
}

/** One direction, with back-pressure; a FIN is passed on and leaves the other direction open. */
function pump(from: Duplex, to: Duplex): void {
  from.on('data', (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => {
    from.resume();
  });
  if (from.readableEnded) to.end();
  else from.once('end', () => to.end());
  from.resume();
}

/**
 * Relays until both sides are closed. An error or an early close on one side cuts the other.
 *
 * @param idleTimeout milliseconds without a byte in either direction.
 */
export function relay(client: Duplex, upstream: Socket, idleTimeout: number): Promise<Relayed> {
  return new Promise((resolve) => {
    let error: ErrorCode | null = null;
    let open = 2;
    const fail = (code: ErrorCode): void => {
      error ??= code;
      cut(client);
      cut(upstream);
    };
    const watch = (socket: Duplex, code: ErrorCode): void => {
      socket.on('error', () => fail(code));
      const onClose = (): void => {
        // Closed with its own direction unfinished: what the other side has is not the whole.
        if (!socket.readableEnded || !socket.writableFinished) fail(code);
        open -= 1;
        if (open === 0) resolve({ error });
      };
      if (socket.destroyed) queueMicrotask(onClose);
      else socket.once('close', onClose);
    };
    watch(client, 'client_closed');
    watch(upstream, 'connection_terminated');
    // All bytes of both directions pass the upstream socket, so that one timer watches both.
    upstream.setTimeout(idleTimeout, () => fail('idle_timeout'));
    pump(client, upstream);
    pump(upstream, client);
  });
}
