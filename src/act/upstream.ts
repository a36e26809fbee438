/** The only outbound dialler: it resolves once, checks the addresses, and connects to those that were checked. */
import { connect, type LookupFunction, type Socket, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { SallyportError, upstreamErrorCode } from '../errors.ts';
import type { MayReach, Target } from '../flow.ts';
import type { Destinations } from './destinations.ts';
import type { Feed } from './feed.ts';
import type { Resolver } from './resolver.ts';

/** Reads a socket into memory of its choice. */
export type Reading = Pick<Feed, 'onread' | 'attach'>;

export interface DialOptions {
  /** Reads the socket; nothing else may. */
  readonly feed?: Reading | undefined;
  /** Absent: no restriction beyond that of {@link Destinations}. */
  readonly mayReach?: MayReach | undefined;
  /** Called with the dialled address if there is only one. With several, the socket knows which one it reached. */
  readonly only?: (address: string) => void;
}

export interface Dialler {
  /**
   * Connects to a target. The dial is aborted when `client` closes.
   *
   * @throws {SallyportError} `port_prohibited`, `destination_prohibited`, `dns_*`, `connection_*`,
   *   `destination_unreachable` or `client_closed`.
   */
  readonly dial: (target: Target, client: Duplex, options?: DialOptions) => Promise<Socket>;
}

/** Milliseconds to wait for one address before trying the next (RFC 8305, section 5). */
const ATTEMPT = 250;

function open(addresses: readonly string[], port: number, feed: Reading | undefined): Socket {
  const reading = feed === undefined ? {} : { onread: feed.onread };
  const shared = { port, allowHalfOpen: true, noDelay: true, ...reading } as const;
  const [only] = addresses;
  if (addresses.length === 1 && only !== undefined) return connect({ ...shared, host: only });
  const entries = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  // Returns the checked addresses, whatever the name.
  const lookup: LookupFunction = (_name, _options, answer) => answer(null, entries);
  return connect({
    ...shared,
    host: 'checked.invalid',
    lookup,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT,
  });
}

/** Resolves once connected; aborts when `client` closes. @param patience milliseconds. */
function connected(socket: Socket, client: Duplex, patience: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let settled = false;
    const settle = (): void => {
      settled = true;
      clearTimeout(timer);
    };
    const fail = (error: SallyportError): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new SallyportError('connection_timeout', `no answer in ${patience} ms`)),
      patience,
    );
    // These listeners are never removed, which would cost more. The one for `error` also keeps a reset from becoming an
    // uncaught error before the caller adds its own.
    client.on('close', () => {
      if (!settled) fail(new SallyportError('client_closed'));
    });
    socket.on('error', (error) => {
      if (!settled) fail(new SallyportError(upstreamErrorCode(error), error.message, { cause: error }));
    });
    socket.on('connect', () => {
      settle();
      resolve(socket);
    });
  });
}

/** @param connectTimeout milliseconds to connect, not counting the name lookup. */
export function createDialler(options: {
  readonly resolver: Resolver;
  readonly destinations: Destinations;
  readonly connectTimeout: number;
}): Dialler {
  const check = (target: Target, addresses: readonly string[], mayReach?: MayReach): readonly string[] => {
    let problem = 'no address';
    const usable = addresses.filter((address) => {
      const denied = mayReach === undefined || mayReach(address) ? null : `${address} is denied`;
      const found = options.destinations.addressProblem(target, address) ?? denied;
      if (found !== null) problem = found;
      return found === null;
    });
    if (usable.length === 0) throw new SallyportError('destination_prohibited', problem);
    return usable;
  };

  const connectTo = (
    target: Target,
    client: Duplex,
    resolved: readonly string[],
    { feed, mayReach, only }: DialOptions,
  ): Promise<Socket> => {
    const addresses = check(target, resolved, mayReach);
    if (client.destroyed) throw new SallyportError('client_closed');
    if (addresses.length === 1 && addresses[0] !== undefined) only?.(addresses[0]);
    const socket = open(addresses, target.port, feed);
    feed?.attach(socket);
    return connected(socket, client, options.connectTimeout);
  };

  return {
    dial(target, client, how = {}) {
      // Not async: when the addresses are cached, which is nearly always, a dial then needs only one promise.
      try {
        const port = options.destinations.portProblem(target);
        if (port !== null) throw new SallyportError('port_prohibited', port);
        const resolved = options.resolver.resolve(target);
        if (!('then' in resolved)) return connectTo(target, client, resolved, how);
        return resolved.then((addresses) => connectTo(target, client, addresses, how));
      } catch (error) {
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      }
    },
  };
}
