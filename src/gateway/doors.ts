/** Combines the front doors, in the clear and over TLS: they share a connection limit, and open and close together. */
import type { Address } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import { createFrontDoor, type FrontDoor, type FrontDoorOptions, type TlsLayer } from '../listen/front-door.ts';

export interface DoorsOptions extends Omit<FrontDoorOptions, 'tls' | 'elsewhere'> {
  /** Called for each connection above the limit. */
  readonly full: () => void;
  readonly drop: FrontDoorOptions['reject'];
  /** TLS of the second door; null if there is none. */
  readonly tls: TlsLayer | null;
}

export interface Doors extends Omit<FrontDoor, 'listen'> {
  /** @throws {ConfigError} if the address cannot be bound. */
  readonly listenTls: (address: Address, log: (line: string) => void, reusePort: boolean) => Promise<number>;
}

export function createDoors({ full, drop, tls, ...shared }: DoorsOptions): {
  readonly door: FrontDoor;
  readonly doors: Doors;
} {
  const counted =
    (end: FrontDoorOptions['reject']): FrontDoorOptions['reject'] =>
    (socket, origin, code, detail) => {
      if (code === 'connection_limit') full();
      end(socket, origin, code, detail);
    };
  const options = { ...shared, reject: counted(shared.reject) };
  const door = createFrontDoor({ ...options, elsewhere: () => overTls?.connections() ?? 0 });
  const overTls =
    tls === null
      ? null
      : createFrontDoor({
          ...options,
          tls: { handshake: tls.handshake, drop: counted(drop) },
          elsewhere: door.connections,
        });
  return {
    door,
    doors: {
      async listenTls(address, log, reusePort) {
        try {
          const bound = await overTls?.listen(address, reusePort);
          log(`proxy over TLS on ${address.host}:${bound?.port ?? 0}`);
          return bound?.port ?? 0;
        } catch (error) {
          const code = (error as NodeJS.ErrnoException).code ?? String(error);
          throw new ConfigError(
            `cannot listen on ${address.host}:${address.port} (${code}); change listen.proxy_tls.address`,
          );
        }
      },
      connections: () => door.connections() + (overTls?.connections() ?? 0),
      stop: () => {
        door.stop();
        overTls?.stop();
      },
      destroy: () => {
        door.destroy();
        overTls?.destroy();
      },
    },
  };
}
