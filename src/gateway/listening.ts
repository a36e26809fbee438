/** Opens all three ports, or none of them. */
import type { Address } from '../admin/http-server.ts';
import { formatAddress } from '../config/network.ts';
import type { Config } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';

export interface Addresses {
  readonly proxy: Address;
  readonly pages: Address;
  readonly admin: Address;
}

interface Port {
  /** Resolves with the bound address, whose port the system may have chosen. */
  readonly listen: (address: Address) => Promise<Address>;
}

interface ProxyPort {
  readonly listen: (address: Address, others: Others) => Promise<Address>;
}

/**
 * Base URL of the pages: as configured, or the bound address if the system chose the port.
 *
 * @param bound undefined: nothing is bound yet.
 */
export function pagesUrlOf({ listen, pages }: Pick<Config, 'listen' | 'pages'>, bound: Address | undefined): string {
  return listen.pages.port === 0 && bound !== undefined ? `http://${formatAddress(bound)}` : pages.url;
}

/** Those that are open before the proxy port. */
export type Others = Pick<Addresses, 'admin' | 'pages'>;

const cures: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process is using it',
  EACCES: 'ports below 1024 need the capability CAP_NET_BIND_SERVICE, which the systemd unit can grant',
};

function listenFault(what: string, address: Address, error: unknown): ConfigError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const cure = cures[code] ?? 'this machine cannot use that address';
  return new ConfigError(
    `cannot listen on ${formatAddress(address)} (${code}): ${cure}; change listen.${what} in the configuration`,
  );
}

/**
 * The proxy port is opened last, so that nobody is served before health checks and pages work.
 *
 * @param close closes the ports that are open already if one cannot be opened.
 * @throws {ConfigError} naming that port.
 */
export async function openPorts(
  wanted: Addresses,
  ports: Readonly<Record<keyof Others, Port>> & { readonly proxy: ProxyPort },
  close: () => Promise<void>,
): Promise<Addresses> {
  const bind = async (what: keyof Addresses, listen: (address: Address) => Promise<Address>): Promise<Address> => {
    try {
      return await listen(wanted[what]);
    } catch (error) {
      await close();
      throw error instanceof ConfigError ? error : listenFault(what, wanted[what], error);
    }
  };
  const admin = await bind('admin', ports.admin.listen);
  const pages = await bind('pages', ports.pages.listen);
  const proxy = await bind('proxy', (address) => ports.proxy.listen(address, { admin, pages }));
  return { admin, pages, proxy };
}
