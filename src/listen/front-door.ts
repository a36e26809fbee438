/**
 * The front door of the proxy port: accepts connections and determines the protocol by their first bytes.
 *
 * Each protocol has its own {@link Speaker}; the door itself knows none. It holds what they share: the connection
 * limit, the absolute deadline for the first bytes, and the error listener without which a reset would end the process.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { platform } from 'node:os';
import { SallyportError, type ErrorCode } from '../errors.ts';
import { startReading, stopReading } from '../reading.ts';
import { originOf, type Origin } from './arrival.ts';
import { lateHead, watchOverdue, type Awaited } from './overdue.ts';
import { reset } from '../reset.ts';
import { createIndexedSet, type Indexed } from '../indexed-set.ts';

export interface Speaker {
  readonly name: string;
  /** Whether the bytes are the beginning of its protocol; `more` if they are too few to tell. */
  readonly recognises: (bytes: Buffer) => 'yes' | 'no' | 'more';
  /**
   * Takes over a socket that nobody is reading, with the bytes that were read. `more` asks for more bytes under the
   * same deadline; `taken` means that the socket is no longer the door's.
   */
  readonly serve: (socket: Socket, bytes: Buffer) => 'more' | 'taken';
}

/**
 * Decides about a new connection before its first bytes: it calls `go`, with the socket paused or flowing, or
 * `turnAway`. It may wait for bytes, under the deadline for the first ones.
 */
export type Admit = (socket: Socket, go: () => void, turnAway: (code: ErrorCode, detail: string) => void) => void;

/** The TLS around each connection of a door. */
export interface TlsLayer {
  /** Calls `ready` or `failed`, once. */
  readonly handshake: (socket: Socket, ready: (inner: Socket) => void, failed: (detail: string) => void) => void;
}

export interface FrontDoorOptions {
  readonly speakers: readonly Speaker[];
  /** Connections at once; further ones are answered 503. */
  readonly maxConnections: number;
  /** Milliseconds from accept to a complete request head. */
  readonly headTimeout: number;
  /** Absent: every client is admitted. */
  readonly admit?: Admit | undefined;
  /** Milliseconds that a connection may last; absent: no limit. */
  readonly lifetime?: (() => number) | undefined;
  /** Called for each connection that is closed for its age. */
  readonly aged?: (() => void) | undefined;
  /** TLS around each connection of this door; `drop` ends a connection that cannot be answered. */
  readonly tls?: (TlsLayer & { readonly drop: FrontDoorOptions['reject'] }) | undefined;
  /** Connections of the proxy's other doors, which count towards the limit. */
  readonly elsewhere?: () => number;
  /** Rejects a connection that no speaker could take, and owns the socket from then on. */
  readonly reject: (socket: Socket, origin: Origin, code: ErrorCode, detail: string) => void;
}

export interface FrontDoor {
  /**
   * @param reusePort other processes may listen on the same port with sockets of their own (Node 22.12, 23.1, Linux).
   */
  readonly listen: (address: ListenAddress, reusePort?: boolean) => Promise<AddressInfo>;
  readonly connections: () => number;
  /** Stops accepting, and turns away connections that have not sent a request yet. Others continue. */
  readonly stop: () => void;
  /** Resets all open connections. */
  readonly destroy: () => void;
}

/** Milliseconds between checks for connections that have exceeded their lifetime. */
const AGED_EVERY = 1_000;

interface Connection extends Indexed {
  readonly socket: Socket;
  readonly since: number;
}

/** A connection whose first bytes are awaited. */
interface Pending extends Awaited {
  /** The connection, or the TLS socket on top of it. */
  socket: Socket;
  encrypted: boolean;
}

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
      noDelayForAll(server);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error('not a TCP listener'));
      else resolve(bound);
    });
  });
}

/**
 * On Linux, accepted connections inherit `TCP_NODELAY` from the listening socket (tcp(7)), which saves a system call
 * for each. Elsewhere Node.js sets it on each.
 */
function noDelayForAll(server: Server): void {
  const handle: unknown = Reflect.get(server, '_handle');
  const set: unknown = Reflect.get(Object(handle), 'setNoDelay');
  if (platform() !== 'linux' || typeof set !== 'function' || Reflect.apply(set, handle, [true]) !== 0) return;
  Reflect.set(server, 'noDelay', false);
}

export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const open = createIndexedSet<Connection>();
  const awaiting = createIndexedSet<Pending>();

  const { tls } = options;

  /** Does nothing if the deadline, a shutdown or the end of the connection came first. */
  const turnAway = (pending: Pending, code: ErrorCode, detail: string): void => {
    if (!awaiting.delete(pending)) return;
    const { socket } = pending;
    stopReading(socket);
    socket.removeAllListeners('data');
    // A socket that never flowed is not paused: it would no longer be read, and its end would go unnoticed.
    if (socket.readableFlowing === true) socket.pause();
    const end = pending.encrypted && tls !== undefined ? tls.drop : options.reject;
    end(socket, originOf(socket), code, detail);
  };

  /** True once a speaker has taken the socket, or it was turned away. */
  const handOver = (pending: Pending, bytes: Buffer): boolean => {
    const { socket } = pending;
    let undecided = false;
    for (const speaker of options.speakers) {
      const answer = speaker.recognises(bytes);
      if (answer === 'more') undecided = true;
      if (answer !== 'yes') continue;
      return speaker.serve(socket, bytes) === 'taken';
    }
    if (undecided) return false;
    turnAway(pending, 'malformed_request', 'the first bytes are not those of an HTTP request');
    return true;
  };

  const readFirst = (pending: Pending): void => {
    const { socket } = pending;
    let held: Buffer | null = null;
    const take = (chunk: Buffer): boolean => {
      held = held === null ? chunk : Buffer.concat([held, chunk]);
      // A speaker may return the bytes by unshift, which must not come here again.
      stopReading(socket);
      if (!handOver(pending, held)) {
        startReading(socket, take, onEnd);
        return true;
      }
      awaiting.delete(pending);
      return true;
    };
    // With allowHalfOpen a FIN is not answered automatically. A client that leaves before its first bytes gets a FIN;
    // half a head gets an answer, since a client whose CONNECT ends in a bare FIN may retry for ever.
    const onEnd = (): void => {
      if (socket.destroyed) return;
      if (held !== null) turnAway(pending, 'malformed_request', 'the connection ended in the middle of a request head');
      else if (awaiting.delete(pending)) socket.end();
    };
    startReading(socket, take, onEnd);
  };

  const unwrap = (pending: Pending, { handshake: start }: TlsLayer): void => {
    start(
      pending.socket,
      (inner) => {
        // It was turned away in the meantime.
        if (pending.place === -1) return;
        Object.assign(pending, { socket: inner, encrypted: false });
        inner.once('close', () => awaiting.delete(pending));
        readFirst(pending);
      },
      (detail) => turnAway(pending, 'proxy_tls_error', detail),
    );
  };
  /** A client that speaks in the clear to a TLS port gets an answer, since some retry for ever after a reset. */
  const checkFirstByte = (pending: Pending, over: TlsLayer): void => {
    const { socket } = pending;
    const stop = (): void => void socket.pause().off('data', onData).off('end', onEnd);
    const onEnd = (): void => {
      stop();
      if (awaiting.delete(pending)) socket.end();
    };
    const onData = (chunk: Buffer): void => {
      stop();
      // It was turned away, or has ended.
      if (pending.place === -1) return;
      if (options.speakers.some((speaker) => speaker.recognises(chunk) === 'yes')) {
        pending.encrypted = false;
        turnAway(pending, 'proxy_tls_error', 'HTTP in the clear on a port that speaks TLS');
        return;
      }
      socket.unshift(chunk);
      unwrap(pending, over);
    };
    socket.on('data', onData).once('end', onEnd).resume();
  };
  const enter = tls === undefined ? readFirst : (pending: Pending): void => checkFirstByte(pending, tls);

  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.on('connection', (socket) => {
    // Once read, the address is cached. A client that has already reset has none, and no rule for groups would apply to
    // it.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const since = performance.now();
    const connection: Connection = { socket, since, place: -1 };
    const pending: Pending = { socket, encrypted: tls !== undefined, until: since + options.headTimeout, place: -1 };
    open.add(connection);
    awaiting.add(pending);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(connection);
      awaiting.delete(pending);
    });
    if (open.size() + (options.elsewhere?.() ?? 0) > options.maxConnections) {
      turnAway(pending, 'connection_limit', `${options.maxConnections} are open`);
      return;
    }
    if (options.admit === undefined) enter(pending);
    else
      options.admit(
        socket,
        () => enter(pending),
        (code, detail) => turnAway(pending, code, detail),
      );
  });

  const sweep = watchOverdue(awaiting, (pending) =>
    turnAway(pending, 'request_timeout', lateHead(options.headTimeout)),
  );
  const age = setInterval(() => {
    const born = performance.now() - (options.lifetime?.() ?? Infinity);
    for (const connection of open.all()) {
      if (connection.since > born || !open.delete(connection)) continue;
      options.aged?.();
      // The relay records this error; a plain end would look like the client's own.
      connection.socket.emit('error', new SallyportError('lifetime_limit'));
      reset(connection.socket);
    }
  }, AGED_EVERY).unref();

  return {
    listen: (address, reusePort = false) => listenOn(server, address, reusePort),
    connections: open.size,
    stop: () => {
      if (server.listening) server.close();
      for (const pending of awaiting.all()) turnAway(pending, 'draining', 'the proxy is shutting down');
    },
    destroy: () => {
      clearInterval(sweep);
      clearInterval(age);
      for (const { socket } of open.all()) reset(socket);
    },
  };
}
