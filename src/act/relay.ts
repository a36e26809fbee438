/** Relays bytes in both directions between two sockets. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { SallyportError, type ErrorCode } from '../errors.ts';
import type { HelloWatch } from '../flow.ts';
import { createFeed, type Feed } from './feed.ts';
import { freeAfterWrite } from './free-memory.ts';
import { cancelKeepAlive, keepAliveLater } from './keep-alive.ts';
import { startReading, resumeReading, stopReading } from '../reading.ts';
import { readInto } from '../read-into.ts';
import { reset, wasReset } from '../reset.ts';

export interface Relayed {
  /** Null if both sides ended cleanly. */
  readonly error: ErrorCode | null;
}

/** Bytes in one direction after which it is read into reused memory. */
const LARGE_TRANSFER = 64 * 1024;

interface Filter {
  /** The bytes that may be relayed; null: nothing may be relayed any more. */
  readonly take: (chunk: Buffer) => Buffer | null;
  /** Whether everything from now on may be relayed. */
  readonly over: () => boolean;
}

/** Relays one direction, with back-pressure. */
function pump(from: Duplex, to: Duplex, filter?: Filter): void {
  let moved = 0;
  const onDrain = (): void => resumeReading(from);
  const take = (chunk: Buffer): boolean => {
    moved += chunk.length;
    // A filter may hold on to a chunk, which must then not be freed.
    const whole = filter?.over() === false ? undefined : freeAfterWrite(chunk);
    const bytes = filter === undefined ? chunk : filter.take(chunk);
    const goOn = bytes === null || bytes.length === 0 || to.write(bytes, whole);
    // Bytes still buffered in the stream must be relayed first.
    if (moved < LARGE_TRANSFER || from.readableLength > 0 || filter?.over() === false) return goOn;
    moved = Number.NEGATIVE_INFINITY;
    const feed = createFeed();
    // TLS sockets deliver decrypted bytes even after a stop, which would overwrite bytes not yet sent.
    if (!(from instanceof Socket) || from instanceof TLSSocket || !readInto(from, feed.onread)) return goOn;
    stopReading(from);
    to.off('drain', onDrain);
    feed.attach(from);
    feed.flowTo(to);
    return true;
  };
  to.on('drain', onDrain);
  startReading(from, take);
}

interface Ends {
  /** Closes the socket, which has nothing left to do. */
  readonly done: (socket: Duplex) => void;
  /** Called if the socket was reset rather than ended. */
  readonly broken: () => void;
}

/** Passes a FIN on, and leaves the other direction open. */
function passEnd(from: Duplex, to: Duplex, { done, broken }: Ends): void {
  const pass = (): void => {
    if (wasReset(from)) {
      broken();
      return;
    }
    // The other direction has ended: closing sends the FIN too, and saves a system call. TLS has to send close_notify.
    const all = to.readableEnded && to.writableLength === 0 && to instanceof Socket && !(to instanceof TLSSocket);
    if (all) done(to);
    else to.end();
  };
  if (from.readableEnded) pass();
  else from.on('end', pass);
}

/**
 * Whether a client's bytes end in a TLS alert, which announces its close. Up to TLS 1.2, alerts have their own record
 * type; in TLS 1.3 only the record length identifies one (two bytes, the content type and a 16-byte tag; RFC 8446,
 * sections 5.2 and 6).
 */
function endsInAlert(chunk: Buffer): boolean {
  const start = chunk.length - 24;
  if (start < 0) return chunk[0] === 0x15;
  return (start < 24 && chunk[0] === 0x15) || (chunk[start] === 0x17 && chunk.readUInt16BE(start + 3) === 19);
}

export interface Relaying {
  /** The feed that the upstream socket was created with. */
  readonly feed: Feed;
  /** Has already seen what the client sent so far. */
  readonly watch: HelloWatch | null;
}

/**
 * Relays until both sides are closed. An error or a premature close on one side resets the other.
 *
 * @param idleTimeout milliseconds without a byte in either direction.
 */
export function relay(client: Duplex, upstream: Socket, idleTimeout: number, relaying?: Relaying): Promise<Relayed> {
  return new Promise((resolve) => {
    let error: ErrorCode | null = null;
    let open = 2;
    let closed: Duplex | null = null;
    let parted = false;
    let tookLeave = false;
    const fail = (code: ErrorCode): void => {
      if (!parted) error ??= code;
      // Reset rather than end: a truncated download must not look complete.
      reset(client);
      reset(upstream);
    };
    /**
     * Whether a reset by this side loses no data. A peer that has sent FIN and closed its socket answers further bytes
     * with RST, e.g. a TLS client answers the origin's final alert. If that alert was already unread when it closed,
     * the client sends RST without a FIN.
     */
    const mayReset = (socket: Duplex, other: Duplex): boolean => {
      const had = socket === client && (other.readableEnded || tookLeave) && socket.writableLength === 0;
      return (socket.readableEnded || had) && other.writableLength === 0;
    };
    const part = (socket: Duplex): void => {
      parted = true;
      if (socket === client) reset(upstream);
      else client.destroy();
    };
    const watch = (socket: Duplex, other: Duplex, code: ErrorCode): void => {
      const lasting = keepAliveLater(socket);
      socket.on('error', (cause) => {
        if (cause instanceof SallyportError) fail(cause.code);
        else if (mayReset(socket, other)) part(socket);
        else fail(code);
      });
      const onClose = (): void => {
        cancelKeepAlive(lasting);
        // Closed with a direction unfinished: the other side does not have everything.
        if (socket !== closed && (!socket.readableEnded || !socket.writableFinished)) fail(code);
        open -= 1;
        if (open === 0) resolve({ error });
        // The timer below ended with the upstream socket; a client that does not read the rest must not stay forever.
        else if (client.writableLength > 0 && client instanceof Socket)
          client.setTimeout(idleTimeout, () => fail('idle_timeout'));
      };
      if (socket.destroyed) queueMicrotask(onClose);
      else socket.on('close', onClose);
    };
    watch(client, upstream, 'client_closed');
    watch(upstream, client, 'connection_terminated');
    // All bytes of both directions pass the upstream socket, so one timer covers both.
    upstream.setTimeout(idleTimeout, () => fail('idle_timeout'));
    const done = (socket: Duplex): void => {
      closed = socket;
      socket.destroy();
    };
    const clientBroke = (): void => {
      if (!tookLeave || upstream.writableLength > 0) {
        fail('client_closed');
        return;
      }
      part(client);
      client.destroy();
    };
    passEnd(client, upstream, { done, broken: clientBroke });
    passEnd(upstream, client, { done, broken: () => fail('connection_terminated') });
    let hold = relaying?.watch?.over() === false ? relaying.watch : null;
    const take = (chunk: Buffer): Buffer | null => {
      tookLeave = endsInAlert(chunk);
      if (hold === null) return chunk;
      const bytes = hold.fromClient(chunk);
      if (bytes === null) fail('server_name_mismatch');
      if (hold.over()) hold = null;
      return bytes;
    };
    pump(client, upstream, { take, over: () => hold === null });
    if (relaying === undefined) {
      pump(upstream, client);
      return;
    }
    relaying.feed.flowTo(client, (bytes) => {
      const held = hold?.fromServer(bytes) ?? null;
      if (held !== null && held.length > 0) upstream.write(held);
      if (hold?.over() === true) hold = null;
      return hold === null;
    });
  });
}
