/** Metrics whose values are held by other parts. They are read at each scrape, so that no copy must be kept current. */
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { BlockEventCount } from './block-events.ts';
import { registerExceptions } from './exceptions.ts';
import type { ExceptionsInForce } from './exceptions.ts';
import { registerLists } from './observed-lists.ts';
import type { ObservedList } from './observed-lists.ts';
import { trustResults } from './trust.ts';
import type { TrustCounts } from './trust.ts';

/** Times are epoch milliseconds; counts are since the process started. */
export interface Observed {
  tunnelsOpen(): number;
  connectionsOpen(): number;
  /** How often each limit was reached. */
  limited(): Readonly<Record<string, number>>;
  /** Results of checking clients' credentials, including missing ones. */
  authentications(): Readonly<Record<string, number>>;
  leafCertificatesMinted(): number;
  accessLogLinesLost(): number;
  /** Expiry of the CA certificate, or null if there is no CA. */
  caNotAfter(): number | null;
  /** Expiry of the files of the proxy port over TLS, by their keys below `listen.proxy_tls`; Infinity: never. */
  proxyTlsExpiry(): Readonly<Record<string, number>>;
  configReload(): { readonly successful: boolean; readonly lastSuccessAt: number };
  policyHash(): string;
  /** `checked`: the latest date on which one of its lines was checked, as in `2026-07-10`; null if none has one. */
  catalogue(): { readonly version: string; readonly checked: string | null };
  /** Fetches of a newer catalogue, by result; `lastSuccessAt` is null if none has succeeded yet. */
  catalogueFetches(): Readonly<Record<FetchResult, number>> & { readonly lastSuccessAt: number | null };
  exceptions(): ExceptionsInForce;
  /** The external domain lists of the policy. */
  domainLists(): readonly ObservedList[];
  /** Processes that serve clients; `replaced`: how many ended unexpectedly and were restarted. */
  workers(): { readonly running: number; readonly replaced: number };
  /** How clients reacted to our leaf certificates. */
  clientTrust(): TrustCounts;
  blockEvents(): readonly BlockEventCount[];
  /** Block events that could not be delivered, by sink. */
  blockEventsLost(): Readonly<Record<EventSink, number>>;
  /** Tunnels that were open when a denial took effect, by what its rule does with them. */
  tunnelsRejudged(): readonly RejudgedCount[];
}

export interface RejudgedCount {
  readonly vendor: string;
  readonly rule: string;
  readonly openTunnels: string;
  readonly count: number;
}

const fetchResults = ['adopted', 'unchanged', 'refused', 'failed'] as const;
type FetchResult = (typeof fetchResults)[number];

const eventSinks = ['log', 'webhook'] as const;
type EventSink = (typeof eventSinks)[number];

export function registerObserved(registry: Registry, observed: Observed): void {
  registerExceptions(registry, () => observed.exceptions());
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number | null): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const now = value();
        if (now === null) this.remove();
        else this.set(now);
      },
    });
  };
  const counter = (name: string, help: string, value: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  };
  gauge('sallyport_tunnels_open', 'Open tunnels.', () => observed.tunnelsOpen());
  gauge('sallyport_connections_open', 'Open client connections.', () => observed.connectionsOpen());
  gauge('sallyport_workers', 'Processes that serve clients.', () => observed.workers().running);
  counter(
    'sallyport_workers_replaced_total',
    'Worker processes that ended unexpectedly and were replaced.',
    () => observed.workers().replaced,
  );
  new Counter({
    name: 'sallyport_limited_total',
    help: 'Connections and requests turned away, by the limit that was reached.',
    labelNames: ['limit'],
    registers,
    collect() {
      this.reset();
      for (const [limit, count] of Object.entries(observed.limited())) this.inc({ limit }, count);
    },
  });
  new Counter({
    name: 'sallyport_authentications_total',
    help: 'Credentials that clients sent or were asked for, by result.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(observed.authentications())) this.inc({ result }, count);
    },
  });
  counter('sallyport_leaf_certificates_minted_total', 'Leaf certificates made for denied hosts.', () =>
    observed.leafCertificatesMinted(),
  );
  counter('sallyport_access_log_lines_lost_total', 'Access log lines that could not be written.', () =>
    observed.accessLogLinesLost(),
  );
  gauge('sallyport_ca_not_after_timestamp_seconds', 'When the CA certificate expires.', () => {
    const at = observed.caNotAfter();
    return at === null ? null : at / 1000;
  });
  new Gauge({
    name: 'sallyport_proxy_tls_expiry_timestamp_seconds',
    help: 'When a file of the proxy port over TLS expires: its certificate, or the list of revoked client certificates.',
    labelNames: ['file'],
    registers,
    collect() {
      this.reset();
      for (const [file, at] of Object.entries(observed.proxyTlsExpiry())) this.set({ file }, at / 1000);
    },
  });
  gauge('sallyport_config_last_reload_successful', '1 if the configuration was last read successfully.', () =>
    observed.configReload().successful ? 1 : 0,
  );
  gauge(
    'sallyport_config_last_reload_success_timestamp_seconds',
    'When the configuration was last read successfully.',
    () => observed.configReload().lastSuccessAt / 1000,
  );
  new Gauge({
    name: 'sallyport_policy_info',
    help: 'Always 1; the label is the hash of the policy in force.',
    labelNames: ['hash'],
    registers,
    collect() {
      this.reset();
      this.set({ hash: observed.policyHash() }, 1);
    },
  });
  new Gauge({
    name: 'sallyport_catalogue_info',
    help: 'Always 1; the label is the version of the vendor catalogue in force.',
    labelNames: ['catalogue'],
    registers,
    collect() {
      this.reset();
      this.set({ catalogue: observed.catalogue().version }, 1);
    },
  });
  gauge('sallyport_catalogue_checked_timestamp_seconds', 'When the vendor catalogue was last checked.', () => {
    const { checked } = observed.catalogue();
    return checked === null ? null : Date.parse(checked) / 1000;
  });
  new Counter({
    name: 'sallyport_catalogue_fetches_total',
    help: 'Fetches of a newer catalogue, by result.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      const fetches = observed.catalogueFetches();
      for (const result of fetchResults) this.inc({ result }, fetches[result]);
    },
  });
  gauge(
    'sallyport_catalogue_last_fetch_success_timestamp_seconds',
    'When a fetch last succeeded: a newer catalogue was adopted, or there was none.',
    () => {
      const at = observed.catalogueFetches().lastSuccessAt;
      return at === null ? null : at / 1000;
    },
  );
  registerLists(registry, () => observed.domainLists());
  new Counter({
    name: 'sallyport_client_trust_total',
    help: 'Intercepted TLS connections, by how the client reacted to the certificate it was shown.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      const counts = observed.clientTrust();
      for (const result of trustResults) this.inc({ result }, counts[result]);
    },
  });
  new Counter({
    name: 'sallyport_block_events_total',
    help: 'Blocks as people count them: retries by one client against one rule are one event.',
    labelNames: ['vendor', 'product', 'rule'],
    registers,
    collect() {
      this.reset();
      for (const { count, ...labels } of observed.blockEvents()) this.inc(labels, count);
    },
  });
  new Counter({
    name: 'sallyport_block_events_lost_total',
    help: 'Block events that could not be written or delivered, by where they were to go: log, webhook.',
    labelNames: ['sink'],
    registers,
    collect() {
      this.reset();
      const lost = observed.blockEventsLost();
      for (const sink of eventSinks) this.inc({ sink }, lost[sink]);
    },
  });
  new Counter({
    name: 'sallyport_open_tunnels_denied_total',
    help: 'Tunnels that were open when a denial came into force, by what the rule does with them: keep, drain, cut.',
    labelNames: ['vendor', 'rule', 'open_tunnels'],
    registers,
    collect() {
      this.reset();
      for (const { count, vendor, rule, openTunnels } of observed.tunnelsRejudged()) {
        this.inc({ vendor, rule, open_tunnels: openTunnels }, count);
      }
    },
  });
}
