/** Bytes both ways between two sockets, until both ends are done. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { SallyportError, type ErrorCode } from '../errors.ts';
import type { HelloWatch } from '../flow.ts';
import type { Feed } from './feed.ts';
import { forget, keepAliveLater } from './keep-alive.ts';
import { reset } from '../reset.ts';

export interface Relayed {
  /** Null where both sides ended in good order. */
  readonly error: ErrorCode | null;
}

/** One direction, with back-pressure. @param filter gives what of it may go on, and null where nothing may any more. */
function pump(from: Duplex, to: Duplex, filter?: (chunk: Buffer) => Buffer | null): void {
  from.on('data', (chunk: Buffer) => {
    const bytes = filter === undefined ? chunk : filter(chunk);
    if (bytes !== null && bytes.length > 0 && !to.write(bytes)) from.pause();
  });
  to.on('drain', () => {
    from.resume();
  });
  from.resume();
}

/** A FIN is passed on, and leaves the other direction open. `done` takes the socket that has nothing left to do. */
function passEnd(from: Duplex, to: Duplex, done: (socket: Duplex) => void): void {
  const pass = (): void => {
    // The second FIN of a pair: closing sends it too, and spares a system call and its answer. TLS has more to say.
    const all = to.readableEnded && to.writableLength === 0 && to instanceof Socket && !(to instanceof TLSSocket);
    if (all) done(to);
    else to.end();
  };
  if (from.readableEnded) pass();
  else from.once('end', pass);
}

export interface Relaying {
  /** What reads the upstream socket, where it was made with one. */
  readonly feed: Feed;
  /** What the client said before has been shown to it. */
  readonly watch: HelloWatch | null;
}

/**
 * Relays until both sides are closed. An error or an early close on one side cuts the other.
 *
 * @param idleTimeout milliseconds without a byte in either direction.
 */
export function relay(client: Duplex, upstream: Socket, idleTimeout: number, relaying?: Relaying): Promise<Relayed> {
  return new Promise((resolve) => {
    let error: ErrorCode | null = null;
    let open = 2;
    let closed: Duplex | null = null;
    const fail = (code: ErrorCode): void => {
      error ??= code;
      // Cut, and not ended: half a download must never look whole.
      reset(client);
      reset(upstream);
    };
    const watch = (socket: Duplex, code: ErrorCode): void => {
      keepAliveLater(socket);
      socket.on('error', (cause) => fail(cause instanceof SallyportError ? cause.code : code));
      const onClose = (): void => {
        forget(socket);
        // Closed with its own direction unfinished: what the other side has is not the whole.
        if (socket !== closed && (!socket.readableEnded || !socket.writableFinished)) fail(code);
        open -= 1;
        if (open === 0) resolve({ error });
        // The timer below is gone with the upstream socket; who does not read the rest must not stay for ever.
        else if (client.writableLength > 0 && client instanceof Socket)
          client.setTimeout(idleTimeout, () => fail('idle_timeout'));
      };
      if (socket.destroyed) queueMicrotask(onClose);
      else socket.once('close', onClose);
    };
    watch(client, 'client_closed');
    watch(upstream, 'connection_terminated');
    // All bytes of both directions pass the upstream socket, so that one timer watches both.
    upstream.setTimeout(idleTimeout, () => fail('idle_timeout'));
    const done = (socket: Duplex): void => {
      closed = socket;
      socket.destroy();
    };
    passEnd(client, upstream, done);
    passEnd(upstream, client, done);
    let hold = relaying?.watch ?? null;
    pump(client, upstream, (chunk) => {
      if (hold === null) return chunk;
      const bytes = hold.said(chunk);
      if (bytes === null) fail('server_name_mismatch');
      if (hold.over()) hold = null;
      return bytes;
    });
    if (relaying === undefined) {
      pump(upstream, client);
      return;
    }
    relaying.feed.flowTo(client, (bytes) => {
      const held = hold?.heard(bytes) ?? null;
      if (held !== null && held.length > 0) upstream.write(held);
      if (hold?.over() === true) hold = null;
      return hold === null;
    });
  });
}
