/**
 * The front door of the proxy port: takes connections and finds out by their first bytes who speaks.
 *
 * Each protocol is a {@link Speaker} of its own beside the others; the door itself knows none. It holds what all have
 * in common: the connection count and its limit, the absolute deadline for the first words, and the error listener
 * without which a reset would end the process.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { SallyportError, type ErrorCode } from '../errors.ts';
import { originOf, type Origin } from './arrival.ts';
import { reset } from '../reset.ts';

export interface Speaker {
  readonly name: string;
  /** Whether the bytes begin what it speaks; `more` while they are too few to tell. */
  readonly recognises: (bytes: Buffer) => 'yes' | 'no' | 'more';
  /**
   * Takes over a paused socket and what was read of it. `more` asks for more bytes under the same deadline;
   * `taken` ends the door's part in it.
   */
  readonly serve: (socket: Socket, bytes: Buffer) => 'more' | 'taken';
}

/**
 * Judges a new connection by whose it is, before its first words: it hands the socket on, paused or flowing, by `go`,
 * or has it turned away. It may wait for bytes; the deadline for the first words counts meanwhile.
 */
export type Usher = (socket: Socket, go: () => void, turnAway: (code: ErrorCode, detail: string) => void) => void;

/** What is around each connection of a door, and has to be lifted before anybody speaks: TLS. */
export interface Veil {
  /** Calls one of the two back, once. */
  readonly lift: (socket: Socket, ready: (inner: Socket) => void, failed: (detail: string) => void) => void;
}

export interface FrontDoorOptions {
  readonly speakers: readonly Speaker[];
  /** Connections at once; more are answered 503. */
  readonly maxConnections: number;
  /** Milliseconds from accept until a speaker must have its first words whole. */
  readonly headTimeout: number;
  /** Absent: whoever connects may stay. */
  readonly usher?: Usher | undefined;
  /** Milliseconds that a connection may last; absent: as long as it likes. */
  readonly lifetime?: (() => number) | undefined;
  /** Hears of each that had lasted that long. */
  readonly aged?: (() => void) | undefined;
  /** Around each connection of this door; `drop` ends one that nothing can be said to. */
  readonly veil?: (Veil & { readonly drop: FrontDoorOptions['reject'] }) | undefined;
  /** Connections that other doors of this proxy hold: all together are held to the limit. */
  readonly elsewhere?: () => number;
  /** A connection that no speaker could take. It owns the socket from here on. */
  readonly reject: (socket: Socket, origin: Origin, code: ErrorCode, detail: string) => void;
}

export interface FrontDoor {
  /** @param reusePort other processes may listen there too, each with a socket of its own (Node 22.12, 23.1, Linux). */
  readonly listen: (address: ListenAddress, reusePort?: boolean) => Promise<AddressInfo>;
  readonly connections: () => number;
  /** Stops taking connections, and turns away those that have not said what they want. The others stay. */
  readonly stop: () => void;
  /** Resets what is still open. */
  readonly destroy: () => void;
}

/** Milliseconds between looks for who is overdue: with more, clients that came together would be turned away at a stretch. */
export const OVERDUE_EVERY = 100;

interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

function listenOn(server: Server, { host, port }: ListenAddress, reusePort: boolean): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const options = { host, port, backlog: 4096, ...(reusePort && { reusePort }) };
    server.listen(options, () => {
      server.off('error', reject);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error('not a TCP listener'));
      else resolve(bound);
    });
  });
}

export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  /** Since when each is open, oldest first. */
  const open = new Map<Socket, number>();
  /** Sockets whose first words are awaited, with the monotonic time that they have until. */
  const greeting = new Map<Socket, number>();

  const { veil } = options;

  const turnAway = (socket: Socket, code: ErrorCode, detail: string): void => {
    greeting.delete(socket);
    socket.removeAllListeners('data').pause();
    const veiled = veil !== undefined && open.has(socket);
    (veiled ? veil.drop : options.reject)(socket, originOf(socket), code, detail);
  };

  /** True once a speaker has the socket, or none will. */
  const handOver = (socket: Socket, bytes: Buffer): boolean => {
    let undecided = false;
    for (const speaker of options.speakers) {
      const answer = speaker.recognises(bytes);
      if (answer === 'more') undecided = true;
      if (answer !== 'yes') continue;
      socket.pause();
      if (speaker.serve(socket, bytes) === 'taken') return true;
      socket.resume();
      return false;
    }
    if (undecided) return false;
    turnAway(socket, 'malformed_request', 'the first bytes are not those of an HTTP request');
    return true;
  };

  const greet = (socket: Socket): void => {
    let held: Buffer | null = null;
    const onData = (chunk: Buffer): void => {
      held = held === null ? chunk : Buffer.concat([held, chunk]);
      // The listener goes first: a speaker may give the bytes back by unshift, which must not come here again.
      socket.off('data', onData);
      if (!handOver(socket, held)) {
        socket.on('data', onData);
        return;
      }
      greeting.delete(socket);
      // A tunnel may be open for days, and would hold on to these bytes.
      socket.off('end', onEnd);
    };
    socket.on('data', onData);
    if (socket.isPaused()) socket.resume();
    // With allowHalfOpen nobody answers a FIN for us. A peer that leaves before its first words gets one back; half a
    // head gets an answer, for a client whose CONNECT ends in a bare FIN may try again for ever.
    const onEnd = (): void => {
      if (!greeting.delete(socket)) return;
      if (held === null) socket.end();
      else turnAway(socket, 'malformed_request', 'the connection ended in the middle of a request head');
    };
    socket.once('end', onEnd);
  };

  const lift = (socket: Socket, { lift: start }: Veil): void => {
    start(
      socket,
      (inner) => {
        // Whoever was told to go in the meantime has gone.
        const until = greeting.get(socket);
        if (until === undefined) return;
        greeting.delete(socket);
        greeting.set(inner, until);
        inner.once('close', () => greeting.delete(inner));
        greet(inner);
      },
      (detail) => {
        if (greeting.has(socket)) turnAway(socket, 'proxy_tls_error', detail);
      },
    );
  };
  const enter = veil === undefined ? greet : (socket: Socket): void => lift(socket, veil);

  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.on('connection', (socket) => {
    // Read once, the address stays known. A peer that reset before has none any more, and no rule for groups would hold.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    open.set(socket, performance.now());
    socket.on('error', () => undefined);
    socket.once('close', () => {
      open.delete(socket);
      greeting.delete(socket);
    });
    if (open.size + (options.elsewhere?.() ?? 0) > options.maxConnections) {
      turnAway(socket, 'connection_limit', `${options.maxConnections} are open`);
      return;
    }
    greeting.set(socket, performance.now() + options.headTimeout);
    if (options.usher === undefined) enter(socket);
    else
      options.usher(
        socket,
        () => enter(socket),
        (code, detail) => {
          // The deadline or a shutdown may have come first.
          if (greeting.has(socket)) turnAway(socket, code, detail);
        },
      );
  });

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const [socket, until] of greeting) {
      if (until > now) continue;
      turnAway(socket, 'request_timeout', `no complete request head in ${options.headTimeout} ms`);
    }
    const born = now - (options.lifetime?.() ?? Infinity);
    for (const [socket, since] of open) {
      if (since > born) break;
      open.delete(socket);
      options.aged?.();
      // Whoever relays for it hears why; a mere end would be taken for the client's own.
      socket.emit('error', new SallyportError('lifetime_limit'));
      reset(socket);
    }
  }, OVERDUE_EVERY).unref();

  return {
    listen: (address, reusePort = false) => listenOn(server, address, reusePort),
    connections: () => open.size,
    stop: () => {
      if (server.listening) server.close();
      for (const socket of greeting.keys()) turnAway(socket, 'draining', 'the proxy is shutting down');
    },
    destroy: () => {
      clearInterval(sweep);
      for (const socket of open.keys()) reset(socket);
    },
  };
}
