/** The doors of the proxy, in the clear and over TLS, as one: they share their limit, and open and close together. */
import type { Address } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import { createFrontDoor, type FrontDoor, type FrontDoorOptions, type Veil } from '../listen/front-door.ts';

export interface DoorsOptions extends Omit<FrontDoorOptions, 'veil' | 'elsewhere'> {
  /** Hears of each connection that was one too many. */
  readonly full: () => void;
  readonly drop: FrontDoorOptions['reject'];
  /** Around the connections of the other door; null: there is none. */
  readonly veil: Veil | null;
}

export interface Doors extends Omit<FrontDoor, 'listen'> {
  /** @throws {ConfigError} where the address cannot be had. */
  readonly listenTls: (address: Address, log: (line: string) => void, reusePort: boolean) => Promise<number>;
}

export function createDoors({ full, drop, veil, ...shared }: DoorsOptions): {
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
  const door = createFrontDoor({ ...options, elsewhere: () => tls?.connections() ?? 0 });
  const tls =
    veil === null
      ? null
      : createFrontDoor({ ...options, veil: { lift: veil.lift, drop: counted(drop) }, elsewhere: door.connections });
  return {
    door,
    doors: {
      async listenTls(address, log, reusePort) {
        try {
          const bound = await tls?.listen(address, reusePort);
          log(`proxy over TLS on ${address.host}:${bound?.port ?? 0}`);
          return bound?.port ?? 0;
        } catch (error) {
          const code = (error as NodeJS.ErrnoException).code ?? String(error);
          throw new ConfigError(
            `cannot listen on ${address.host}:${address.port} (${code}); change listen.proxy_tls.address`,
          );
        }
      },
      connections: () => door.connections() + (tls?.connections() ?? 0),
      stop: () => {
        door.stop();
        tls?.stop();
      },
      destroy: () => {
        door.destroy();
        tls?.destroy();
      },
    },
  };
}
