/** Opens the three ports, or none of them. */
import type { Address } from '../admin/http-server.ts';
import { ConfigError } from '../errors.ts';

export interface Addresses {
  readonly proxy: Address;
  readonly pages: Address;
  readonly admin: Address;
}

interface Port {
  /** Resolves to the address that was bound, with its port where the system was to choose. */
  readonly listen: (address: Address) => Promise<Address>;
}

function listenFault(what: string, address: Address, error: unknown): ConfigError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const cure = code === 'EADDRINUSE' ? 'another process has it' : 'it cannot be used on this machine';
  return new ConfigError(
    `cannot listen on ${address.host}:${address.port} (${code}): ${cure}; change listen.${what} in the configuration`,
  );
}

/**
 * The proxy port is the last, so that nobody is served before health and pages are there.
 *
 * @param close ends what is open already, where one of the ports cannot be had.
 * @throws {ConfigError} naming that port.
 */
export async function openPorts(
  wanted: Addresses,
  ports: Readonly<Record<keyof Addresses, Port>>,
  close: () => Promise<void>,
): Promise<Addresses> {
  const bind = async (what: keyof Addresses): Promise<Address> => {
    try {
      return await ports[what].listen(wanted[what]);
    } catch (error) {
      await close();
      throw error instanceof ConfigError ? error : listenFault(what, wanted[what], error);
    }
  };
  const admin = await bind('admin');
  const pages = await bind('pages');
  return { admin, pages, proxy: await bind('proxy') };
}
