/** The output of `sallyport serve` after it has started. */
import { relative } from 'node:path';
import { isLoopback } from '../admin/guard.ts';
import { counted } from '../config/counted.ts';
import { callableHost, formatAddress, type Address } from '../config/network.ts';
import type { Target } from '../flow.ts';
import type { Gateway } from '../gateway.ts';
import type { Addresses } from '../gateway/listening.ts';
import { parseHost } from '../listen/target.ts';
import { createExplainer } from './explanation.ts';
import { workersOf } from './open-files.ts';
import { prohibited } from './prohibited.ts';
import { version } from './version.ts';
import type { Io } from './verb.ts';

/** Denied by most policies. */
const DENIED = 'api.anthropic.com';

/** The address at which this machine reaches a server that listens on all addresses. */
function here({ host, port }: Address): string {
  return formatAddress({ host: callableHost(host), port });
}

/** Without a token, the API refuses everybody on a port that other machines can reach. */
function adminNote({ admin }: Addresses, tokenFile: string | null): string {
  return isLoopback(admin.host) || tokenFile !== null
    ? ''
    : '  (other machines can reach it; /api refuses everybody until admin.token_file is set)';
}

type Sample = 'allowed' | 'denied inside TLS' | null;

/** What a CONNECT from this machine without credentials results in; null: nothing that an example can show. */
function createSampler(gateway: Gateway): (host: string, port: number) => Sample {
  const config = gateway.config();
  const explain = createExplainer(config, gateway.lists());
  return (host, port) => {
    const target: Target = { ...parseHost(host), port };
    const asked = { target, moment: 'connect', path: null, address: '127.0.0.1', user: null, at: Date.now() } as const;
    const { effect, action } = explain(asked);
    if (effect === 'deny') return action === 'intercept' ? 'denied inside TLS' : null;
    return prohibited(config, target) === null ? 'allowed' : null;
  };
}

/** Example commands that work under the current policy. */
function samples(gateway: Gateway, { pages, admin }: Addresses, proxy: string, ca: string): string[] {
  const sampled = createSampler(gateway);
  const isDenied = sampled(DENIED, 443) === 'denied inside TLS';
  const series = isDenied ? "'^sallyport_blocked_total.*anthropic'" : "'^sallyport_requests_total'";
  return [
    ...(sampled(callableHost(pages.host), pages.port) === 'allowed'
      ? [
          '  # allowed: through a tunnel, untouched',
          `  curl -sS --proxytunnel -x http://${proxy} http://${here(pages)}/assistant -o /dev/null -w '%{http_code}\\n'`,
        ]
      : []),
    ...(isDenied
      ? [
          '  # denied: answered inside TLS, with the reason',
          `  curl -sS -x http://${proxy} --cacert ${ca} https://${DENIED}/v1/messages -d '{}'`,
        ]
      : []),
    '  # counted',
    `  curl -sS http://${here(admin)}/metrics | grep ${series} | grep -v ' 0$'`,
  ];
}

/** What a person at the terminal needs next: addresses, and commands that show the product at work. */
export function welcome(gateway: Gateway, addresses: Addresses, io: Io): string {
  const config = gateway.config();
  const proxy = formatAddress(addresses.proxy);
  const pages = formatAddress(addresses.pages);
  const admin = formatAddress(addresses.admin);
  const asked = `${config.clients.authentication?.required === true ? 'USER:PASSWORD@' : ''}${here(addresses.proxy)}`;
  const workers = workersOf(config);
  const overTls = config.proxyTls?.address;
  // If the system chose the port, the log has it.
  const tls =
    overTls === undefined || overTls.port === 0 ? '' : `\n  TLS    https://${formatAddress(overTls)}  (the same proxy)`;
  const ca = relative(io.cwd, gateway.caFile) || gateway.caFile;
  return `Sallyport ${version()}: ${counted(config.policy.rules.length, 'rule')}, ${counted(config.vendors.length, 'vendor')}, policy ${config.policyHash}, ${counted(workers, 'worker')}

  proxy  http://${proxy}${tls}
  pages  http://${pages}/  (set-up help, PAC, CA certificate)
  admin  http://${admin}/metrics${adminNote(addresses, config.admin.tokenFile)}
  CA     ${ca}

Try it in another terminal:
${samples(gateway, addresses, asked, ca).join('\n')}
`;
}
