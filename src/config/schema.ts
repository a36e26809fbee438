/** `sallyport.yaml`: how the proxy runs. Every key is optional; `config/sallyport.yaml` shows each with its default. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { PolicyDocument, Vendor } from '../flow.ts';
import { clientsSchema, listenAddress, network, proxyTlsSchema, toClients, toProxyTls } from './clients-schema.ts';
import type { Clients, ProxyTlsSettings } from './clients-schema.ts';
import { limitsSchema, toLimits, type Limits } from './limits-schema.ts';
import type { StoredExceptions } from './stored-exceptions.ts';
import { readLogo } from './logo.ts';
import { formatAddress, parseAllowed, parseIp, parseNamePattern, parseServer } from './network.ts';
import type { Address, AllowedDestination } from './network.ts';
import { onePortEach } from './own-ports.ts';
import { duration, line, read, strict, webUrl } from './scalars.ts';
import { needsKey, updateKeys, updatesOf } from './update-settings.ts';
import type { CatalogueSettings } from './vendors.ts';

export type { Address, AllowedDestination } from './network.ts';

/** The whole configuration: validated, deeply frozen, paths absolute, durations in milliseconds. */
export interface Config {
  /** The sallyport.yaml that it was read from. */
  readonly file: string;
  /** Number of processes that serve clients. `auto`: one per core. */
  readonly workers: number | 'auto';
  /** Port 0 lets the system choose. */
  readonly listen: { readonly proxy: Address; readonly pages: Address; readonly admin: Address };
  /** Networks of load balancers, whose connections begin with a PROXY header. */
  readonly proxyProtocol: { readonly trusted: readonly string[] };
  /** A second proxy port, over TLS. */
  readonly proxyTls: ProxyTlsSettings | null;
  readonly clients: Clients;
  readonly pages: {
    /** Base URL of the pages, without a trailing slash. By default made from `listen.pages`. */
    readonly url: string;
    /** Language of the pages if a browser accepts none that they are written in. */
    readonly language: 'en' | 'zh';
    readonly company: {
      readonly name: string;
      readonly contact: string | null;
      /** `#rrggbb`. */
      readonly colour: string | null;
      /** An image as a `data:` URL. */
      readonly logo: string | null;
    };
  };
  readonly admin: {
    /** Names, besides its addresses, that `Host` may have on the admin port. */
    readonly hosts: readonly string[];
    /** File with the bearer token of the API; null: the API answers only if the port is bound to loopback. */
    readonly tokenFile: string | null;
  };
  readonly certificates: {
    readonly dir: string;
    readonly keyType: 'ecdsa-p256' | 'rsa-2048';
    readonly leafDays: number;
    readonly organisation: string;
    /** A supplied certificate authority; null: one of our own in `dir`. */
    readonly authority: {
      readonly certFile: string;
      readonly keyFile: string;
      readonly passphraseFile: string | null;
    } | null;
  };
  /** `-`: standard output; `none`; or a file. */
  readonly accessLog: { readonly path: string; readonly format: 'ecs' | 'squid' };
  readonly outbound: {
    readonly ports: readonly number[];
    readonly allow: readonly AllowedDestination[];
    /** Name, or `*.name` for all names below it, to address; used before DNS. */
    readonly hosts: Readonly<Record<string, string>>;
    /** DNS servers as address or address:port; empty: those of the system. */
    readonly dnsServers: readonly string[];
    readonly connectTimeout: number;
    /** PEM of CAs for origins in addition to the system's; null if there are none. */
    readonly caFile: string | null;
  };
  readonly tunnels: {
    readonly helloTimeout: number;
    readonly idleTimeout: number;
    /** For a tunnel that a change denies: how long it may be idle, and last, before it is ended. */
    readonly drainIdle: number;
    readonly drainTimeout: number;
    readonly tlsRequiredPorts: readonly number[];
    readonly httpPorts: readonly number[];
  };
  readonly limits: Limits;
  readonly redirect: { readonly contextLifetime: number };
  /** When a client that rejects our leaves gets the answer to its CONNECT instead; `refusals` 0: never. */
  readonly trust: { readonly refusals: number; readonly window: number; readonly fallback: number };
  readonly blockEvents: {
    readonly window: number;
    /** `-`: standard output; `none`; or a file. */
    readonly path: string;
    readonly webhook: string | null;
  };
  /** The policy file, with the exceptions and pauses of their own file. */
  readonly policy: PolicyDocument;
  /** The policy file alone. */
  readonly policyOfFile: PolicyDocument;
  /** The file of exceptions. */
  readonly stored: StoredExceptions;
  readonly exceptionsFile: string;
  readonly vendors: readonly Vendor[];
  readonly catalogue: {
    /** The first 12 hexadecimal digits of the SHA-256 of the vendor files and overlays. */
    readonly version: string;
    /** The latest day on which an entry was checked, such as `2026-07-10`; null if none says. */
    readonly checked: string | null;
    /** Number of overlay files. */
    readonly overlaid: number;
    /** When the fetched bundle was created, ISO 8601; null if nothing was fetched. */
    readonly fetched: string | null;
    /** Why a fetched copy is not used; null if there is none, or it is used. */
    readonly unused: string | null;
  };
  readonly catalogueFrom: CatalogueSettings;
  readonly policyFile: string;
  /** `watch`: reload when files change; `signal`: only on request. */
  readonly reload: 'watch' | 'signal';
  /** The first 12 hexadecimal digits of the SHA-256 of the policy file and the catalogue's version. */
  readonly policyHash: string;
  /** Every file that was read. */
  readonly files: readonly string[];
}

const port = z.number().int().min(1).max(65_535);
const file = line;

const hostName = z.string().superRefine((text, context) => {
  const result = read(parseNamePattern).safeParse(text);
  if (!result.success) context.addIssue({ code: 'custom', message: result.error.issues[0]?.message ?? '' });
});

const baseUrl = webUrl.transform((text, context) => {
  const url = new URL(text);
  if (url.search === '' && url.hash === '') return text.replace(/\/+$/, '');
  context.addIssue({ code: 'custom', message: 'the URL of the pages may not have a query or fragment; remove them' });
  return z.NEVER;
});

const noWorkers = '"workers" must be a whole number from 1 to 256, or auto for one on each core';

export const settingsSchema = strict({
  policy: file.default('policy.yaml'),
  exceptions: file.default('exceptions.jsonl'),
  vendors: file.default('vendors'),
  vendors_key: file.optional(),
  vendors_overlay: file.optional(),
  ...updateKeys,
  reload: z.enum(['watch', 'signal']).default('watch'),
  workers: z.union([z.literal('auto'), z.number().int().min(1).max(256)], { error: noWorkers }).default(1),
  listen: strict({
    proxy: listenAddress.prefault('127.0.0.1:3128'),
    pages: listenAddress.prefault('127.0.0.1:8128'),
    admin: listenAddress.prefault('127.0.0.1:9128'),
    proxy_tls: proxyTlsSchema.optional(),
    proxy_protocol: strict({ trusted: z.array(network).default([]) }).prefault({}),
  }).prefault({}),
  clients: clientsSchema.prefault({}),
  pages: strict({
    url: baseUrl.optional(),
    language: z.enum(['en', 'zh']).default('en'),
    company: strict({
      name: line.default('Your company'),
      contact: line.optional(),
      colour: z
        .string()
        .regex(/^#[0-9a-f]{6}$/i, 'a colour is written as #rrggbb in quotes, such as "#1d4fd7"')
        .optional(),
      logo: file.optional(),
    }).prefault({}),
  }).prefault({}),
  admin: strict({ hosts: z.array(line).default([]), token_file: file.optional() }).prefault({}),
  certificates: strict({
    dir: file.default('certs'),
    key_type: z.enum(['ecdsa-p256', 'rsa-2048']).default('ecdsa-p256'),
    leaf_days: z.number().int().min(1).max(90).default(60),
    organisation: line.max(64).default('Sallyport'),
    authority: strict({ cert_file: file, key_file: file, passphrase_file: file.optional() }).optional(),
  }).prefault({}),
  access_log: strict({ path: file.default('-'), format: z.enum(['ecs', 'squid']).default('ecs') }).prefault({}),
  outbound: strict({
    ports: z.array(port).default([443, 80]),
    allow: z.array(read(parseAllowed)).default([]),
    hosts: z.record(hostName, read(parseIp)).default({}),
    dns_servers: z.array(read(parseServer)).default([]),
    connect_timeout: duration.prefault('10s'),
    ca_file: file.optional(),
  }).prefault({}),
  tunnels: strict({
    hello_timeout: duration.prefault('10s'),
    idle_timeout: duration.prefault('1h'),
    drain_idle: duration.prefault('15s'),
    drain_timeout: duration.prefault('5m'),
    tls_required_ports: z.array(port).default([443]),
    http_ports: z.array(port).default([80]),
  }).prefault({}),
  limits: limitsSchema.prefault({}),
  redirect: strict({ context_lifetime: duration.prefault('10m') }).prefault({}),
  trust: strict({
    refusals: z.number().int().min(0).max(100).default(3),
    window: duration.prefault('10m'),
    fallback: duration.prefault('10m'),
  }).prefault({}),
  block_events: strict({
    window: duration.prefault('10m'),
    path: file.default('none'),
    webhook: webUrl.optional(),
  }).prefault({}),
})
  .superRefine(needsKey)
  .superRefine(onePortEach);

export type SettingsFile = z.output<typeof settingsSchema>;

/** The part of the configuration that comes from sallyport.yaml alone. */
export type Settings = Omit<
  Config,
  'policyOfFile' | 'stored' | 'policy' | 'vendors' | 'catalogue' | 'policyHash' | 'files'
>;

function canonicalHosts(hosts: SettingsFile['outbound']['hosts']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(hosts).map(([name, ip]) => {
      const { below, host } = parseNamePattern(name);
      return [below ? `*.${host}` : host, ip];
    }),
  );
}

/** Relative paths are relative to the folder of sallyport.yaml. @throws {ConfigError} for an unusable logo. */
export function toSettings(given: SettingsFile, configFile: string): Settings {
  const path = (name: string): string => resolve(dirname(configFile), name);
  const { certificates, access_log: log, outbound, tunnels } = given;
  const place = (name: string): string => (name === '-' || name === 'none' ? name : path(name));
  const { authority } = certificates;
  const { company } = given.pages;
  const { proxy_protocol: proxied, proxy_tls: overTls, ...ports } = given.listen;
  return {
    file: configFile,
    workers: given.workers,
    policyFile: path(given.policy),
    exceptionsFile: path(given.exceptions),
    catalogueFrom: {
      vendors: path(given.vendors),
      key: given.vendors_key === undefined ? null : path(given.vendors_key),
      overlay: given.vendors_overlay === undefined ? null : path(given.vendors_overlay),
      updates: updatesOf(given, path),
    },
    reload: given.reload,
    listen: ports,
    proxyProtocol: proxied,
    proxyTls: overTls === undefined ? null : toProxyTls(overTls, path),
    clients: toClients(given.clients, path),
    pages: {
      url: given.pages.url ?? `http://${formatAddress(given.listen.pages)}`,
      language: given.pages.language,
      company: {
        name: company.name,
        contact: company.contact ?? null,
        colour: company.colour?.toLowerCase() ?? null,
        logo: company.logo === undefined ? null : readLogo(path(company.logo)),
      },
    },
    admin: {
      hosts: given.admin.hosts,
      tokenFile: given.admin.token_file === undefined ? null : path(given.admin.token_file),
    },
    certificates: {
      dir: path(certificates.dir),
      keyType: certificates.key_type,
      leafDays: certificates.leaf_days,
      organisation: certificates.organisation,
      authority: authority
        ? {
            certFile: path(authority.cert_file),
            keyFile: path(authority.key_file),
            passphraseFile: authority.passphrase_file === undefined ? null : path(authority.passphrase_file),
          }
        : null,
    },
    accessLog: { path: place(log.path), format: log.format },
    outbound: {
      ports: outbound.ports,
      allow: outbound.allow,
      hosts: canonicalHosts(outbound.hosts),
      dnsServers: outbound.dns_servers,
      connectTimeout: outbound.connect_timeout,
      caFile: outbound.ca_file === undefined ? null : path(outbound.ca_file),
    },
    tunnels: {
      helloTimeout: tunnels.hello_timeout,
      idleTimeout: tunnels.idle_timeout,
      drainIdle: tunnels.drain_idle,
      drainTimeout: tunnels.drain_timeout,
      tlsRequiredPorts: tunnels.tls_required_ports,
      httpPorts: tunnels.http_ports,
    },
    limits: toLimits(given.limits),
    redirect: { contextLifetime: given.redirect.context_lifetime },
    trust: given.trust,
    blockEvents: {
      window: given.block_events.window,
      path: place(given.block_events.path),
      webhook: given.block_events.webhook ?? null,
    },
  };
}
