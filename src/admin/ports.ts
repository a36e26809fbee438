/** The two ports besides the proxy: pages for users; metrics, health and API for operators. */
import { X509Certificate } from 'node:crypto';
import type { HomeModel } from '../answers/home.ts';
import type { BlockFacts } from '../answers/people.ts';
import type { Language } from '../answers/phrases.ts';
import type { Company } from '../answers/settings.ts';
import type { Verified } from '../answers/context.ts';
import type { PolicyDocument, Vendor } from '../flow.ts';
import { createAdminServer, type AdminFacts, type AdminServerOptions } from './admin-server.ts';
import type { HttpServer } from './http-server.ts';
import { pacSettings, type PacTls } from './pac.ts';
import { createPagesServer } from './pages-server.ts';
import { createPeople } from './people.ts';

/** The parts of the active configuration that these ports show. */
interface ShownConfig {
  readonly pages: { readonly company: Company; readonly language: Language };
  readonly policy: Pick<PolicyDocument, 'assistants' | 'defaultAssistant' | 'rules' | 'exceptions' | 'pauses'>;
  readonly policyHash: string;
  readonly vendors: readonly Vendor[];
}

export interface PortsOptions {
  readonly config: () => ShownConfig;
  /** Base URL of the pages, without a trailing slash. */
  readonly pagesUrl: () => string;
  readonly proxyPort: () => number;
  /** The proxy's port over TLS; null if there is none. */
  readonly proxyTls: () => PacTls | null;
  /** The policy's clock, in epoch milliseconds. */
  readonly now: () => number;
  readonly authority: {
    readonly anchor: { readonly pem: string; readonly fingerprint: string };
    readonly notAfter: number;
  };
  readonly build: { readonly version: string; readonly nodeVersion: string };
  /** Names, besides its addresses, that `Host` may have on the admin port. */
  readonly hosts: readonly string[];
  /** Bearer token of the API; null if there is none. */
  readonly token: string | null;
  readonly tokenAttempts: AdminServerOptions['tokenAttempts'];
  readonly reloaded: () => AdminFacts['reload'];
  /** Why the proxy is not ready for clients; null if it is. */
  readonly notReady: () => string | null;
  readonly metrics: AdminServerOptions['metrics'];
  readonly verify: (token: string) => Verified;
  readonly findBlock: (id: string, clientAddress: string) => BlockFacts | null;
  readonly blocksOf: (clientAddress: string) => HomeModel['blocks'];
  readonly trusted: (clientAddress: string) => boolean | null;
  /** Further endpoints of the admin port's API, by name. */
  readonly lists: AdminServerOptions['lists'];
  readonly actions: AdminServerOptions['actions'];
  readonly exceptions: NonNullable<AdminServerOptions['exceptions']>;
  readonly onFault: (id: string, error: unknown) => void;
  /** Key by which a client's connections are counted. */
  readonly clientKey: (address: string) => string;
}

export interface Ports {
  readonly pages: HttpServer;
  readonly admin: HttpServer;
}

export function createPorts(options: PortsOptions): Ports {
  const { config, authority, build, onFault, pagesUrl } = options;
  const startedAt = Date.now();
  const der = new X509Certificate(authority.anchor.pem).raw;

  const assistant = (): PolicyDocument['assistants'][number] | undefined => {
    const { assistants, defaultAssistant } = config().policy;
    return assistants.find(({ id }) => id === defaultAssistant);
  };
  /** Clients reach the proxy under the host of the pages. */
  const proxy = (): { host: string; port: number } => ({
    host: new URL(pagesUrl()).hostname,
    port: options.proxyPort(),
  });
  const proxyAt = (): string => `${proxy().host}:${proxy().port}`;
  const policy = (): AdminFacts['policy'] => ({
    hash: config().policyHash,
    rules: config().policy.rules.length,
    exceptions: config().policy.exceptions.length,
  });
  const vendorName = (id: string | null): string | null => config().vendors.find((one) => one.id === id)?.name ?? null;
  const holding = <T extends { readonly from?: number | undefined; readonly until: number }>(
    all: readonly T[],
  ): T[] => {
    const now = options.now();
    return all.filter(({ from = -Infinity, until }) => from <= now && now < until);
  };
  const exceptions = (): AdminFacts['exceptions'] => {
    const ends = holding(config().policy.exceptions).map(({ until }) => until);
    return { active: ends.length, nextEndAt: ends.length === 0 ? null : Math.min(...ends) };
  };
  const pauses = (): AdminFacts['pauses'] => holding(config().policy.pauses ?? []);
  const home = (): Omit<HomeModel, 'company' | 'adminUrl' | 'blocks' | 'trusted'> => ({
    proxyAddress: proxyAt(),
    pacUrl: `${pagesUrl()}/proxy.pac`,
    wpadUrl: `${pagesUrl()}/wpad.dat`,
    caPemUrl: `${pagesUrl()}/ca.pem`,
    caCrtUrl: `${pagesUrl()}/ca.crt`,
    caFingerprint: authority.anchor.fingerprint,
    assistantUrl: assistant()?.url ?? null,
    version: build.version,
    policy: { ...policy(), loadedAt: options.reloaded().lastSuccessAt },
    exceptions: exceptions().active,
    pauses: pauses().map(({ vendor, until }) => ({
      vendor: vendor === null ? null : (vendorName(vendor) ?? vendor),
      until,
    })),
  });

  const pages = createPagesServer({
    pages: createPeople({
      company: () => config().pages.company,
      language: () => config().pages.language,
      home,
      assistantName: () => assistant()?.name ?? 'the approved assistant',
      verify: options.verify,
      vendorName,
      findBlock: options.findBlock,
      blocksOf: options.blocksOf,
      trusted: options.trusted,
    }),
    pac: () => pacSettings(pagesUrl(), options.proxyPort(), options.proxyTls()),
    ca: () => ({ pem: authority.anchor.pem, der }),
    proxyAt,
    onFault,
    clientKey: options.clientKey,
  });
  const admin = createAdminServer({
    metrics: options.metrics,
    health: { ready: () => ({ ok: options.notReady() === null, why: options.notReady() ?? '' }) },
    facts: () => ({
      ...build,
      startedAt,
      policy: policy(),
      reload: options.reloaded(),
      exceptions: exceptions(),
      pauses: pauses(),
      ca: { fingerprint: authority.anchor.fingerprint, notAfter: authority.notAfter },
    }),
    hosts: options.hosts,
    token: options.token,
    tokenAttempts: options.tokenAttempts,
    lists: options.lists ?? {},
    actions: options.actions ?? {},
    exceptions: options.exceptions,
    proxyAt,
    onFault,
  });
  return { pages, admin };
}
