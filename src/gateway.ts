/** Builds every part from the configuration and wires them; the only file that knows all stations. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { OwnPort } from './act/destinations.ts';
import type { Upstream } from './act/tunnel.ts';
import { createTurnAway } from './act/turn-away.ts';
import { createPorts } from './admin/ports.ts';
import { createContextSigner } from './answers/context.ts';
import { openAuthority } from './certificates/authority.ts';
import { createLeaves } from './certificates/leaves.ts';
import { openSecret, readToken } from './certificates/secret.ts';
import type { Bundle } from './config/bundle.ts';
import type { Config } from './config/schema.ts';
import { describe } from './errors.ts';
import type { Arrival } from './flow.ts';
import { createActing } from './gateway/acting.ts';
import { createAnswering } from './gateway/answering.ts';
import { createAuthenticating } from './gateway/authenticating.ts';
import { createCatalogueUpdates } from './gateway/catalogue-updates.ts';
import { createInForce } from './gateway/in-force.ts';
import { openPorts, type Addresses } from './gateway/listening.ts';
import { createLimiting } from './gateway/limiting.ts';
import { createDoors } from './gateway/doors.ts';
import { openProxyTls } from './gateway/proxy-tls.ts';
import { createRecording } from './gateway/recording.ts';
import { createLifecycle } from './lifecycle.ts';
import { createAccess } from './listen/access.ts';
import { createConnectSpeaker } from './listen/connect.ts';
import { createDecrypted } from './listen/decrypted.ts';
import { awaitHello } from './listen/hello.ts';
import { createHttpSpeaker } from './listen/http.ts';
import { expectedSeries } from './record/expected.ts';

export interface GatewayOptions {
  /**
   * Reads the configuration; asked again at each reload.
   *
   * @param candidate a bundle that is to be tried in the place of the catalogue that was fetched last.
   * @throws {ConfigError}
   */
  readonly load: (candidate?: Bundle) => Config;
  readonly version: string;
  readonly nodeVersion: string;
  /** Where an access log with the path `-` goes. */
  readonly stdout: NodeJS.WritableStream;
  /** Hears one line for each event that an operator should know of. */
  readonly log: (line: string) => void;
  /**
   * The clock that the policy goes by, in epoch milliseconds; left out: that of the machine. Certificates go by the
   * machine's, as do the clients that check them.
   */
  readonly now?: () => number;
}

export interface Gateway {
  /** The configuration in force. */
  readonly config: () => Config;
  /** The certificate that clients have to trust. */
  readonly caFile: string;
  /** Opens all three ports, or none. @throws {ConfigError} naming the port that cannot be had. */
  readonly listen: () => Promise<Addresses>;
  /** Puts what is in the files now into force, or leaves the old and says why. True: it is in force. */
  readonly reload: () => boolean;
  /** Takes no more connections, and resolves once those that are open have ended or the drain time is over. */
  readonly drain: () => Promise<void>;
  /** Ends everything that is still open. */
  readonly close: () => Promise<void>;
  /** Counts and logs an exception that nobody caught. */
  readonly uncaught: (error: unknown) => void;
}

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { version, nodeVersion, log } = options;
  const build = { version, nodeVersion };
  const refusesLeaf = (clientAddress: string): boolean => trust.refuses(clientAddress, Date.now());
  const inForce = createInForce({ load: () => options.load(), refusesLeaf, log });
  const config = inForce.config();
  let addresses: Addresses | null = null;
  let tlsPort: number | null = null;
  let draining = false;
  let tunnels = 0;
  const surprised = (error: unknown): void => log(`internal error: ${describe(error)}`);

  // ---- certificates ------------------------------------------------------------------------------------------------
  const { certificates } = config;
  const authority = await openAuthority({ ...certificates, own: certificates.authority, now: Date.now });
  const leaves = createLeaves(authority, {
    ...certificates,
    cacheSize: 5_000,
    now: Date.now,
    ticketKeys: randomBytes(48),
  });
  const signer = createContextSigner(
    await openSecret(certificates.dir, 'context.key'),
    Math.round(config.redirect.contextLifetime / 1000),
  );

  const limiting = createLimiting(config);
  const authenticating = createAuthenticating({
    config,
    log,
    queueFull: () => limiting.met('password_queue'),
    throttled: () => limiting.met('password_attempts'),
  });

  // ---- record ------------------------------------------------------------------------------------------------------
  const { record, metrics, recent, trust, reopen, lists } = createRecording({
    config,
    build,
    stdout: options.stdout,
    log,
    observed: {
      tunnelsOpen: () => tunnels,
      connectionsOpen: () => doors.connections(),
      limited: limiting.counts,
      authentications: authenticating.counts,
      leafCertificatesMinted: () => leaves.stats().minted,
      caNotAfter: () => authority.notAfter,
      configReload: inForce.reloaded,
      policyHash: () => inForce.config().policyHash,
      catalogue: () => inForce.config().catalogue,
      catalogueFetches: () => ({ ...updates.counts(), lastSuccessAt: updates.lastSuccessAt() }),
    },
  });

  // ---- answers -----------------------------------------------------------------------------------------------------
  const pagesUrl = (now: Config = inForce.config()): string => {
    const bound = addresses?.pages;
    return now.listen.pages.port === 0 && bound !== undefined ? `http://${bound.host}:${bound.port}` : now.pages.url;
  };
  const answers = createAnswering(config, pagesUrl(), signer.sign);

  // ---- listen ------------------------------------------------------------------------------------------------------
  const { reject, rejectRequest, drop } = createTurnAway({
    failed: answers.turnedAway,
    record: (rejected) => record.rejected(rejected),
    surprised,
  });
  const arrived = (arrival: Arrival): void => {
    if (arrival.kind !== 'tunnel') {
      void lifecycle.take(arrival);
      return;
    }
    tunnels += 1;
    void lifecycle.take(arrival).finally(() => (tunnels -= 1));
  };
  const asked = createAccess({
    rules: authenticating.rules,
    arrived,
    reject(arrival, origin, code, detail) {
      if (arrival.kind === 'request') rejectRequest(arrival.req, arrival.res, origin, code, detail);
      else reject(arrival.socket, origin, code, detail);
    },
    missing: authenticating.missing,
    surprised,
  });
  const { headTimeout, drainTimeout } = config.limits;
  const wire = { headTimeout, idleTimeout: config.tunnels.idleTimeout, arrived, rejectRequest, reject };
  const decrypted = createDecrypted({
    ...wire,
    contextFor: (target) => leaves.contextFor(target),
    trusted: (clientAddress, result) => trust.note(clientAddress, result, Date.now()),
  });
  const http = createHttpSpeaker({ ...wire, arrived: asked });
  const proxyTls = openProxyTls(config);
  const { door, doors } = createDoors({
    speakers: [createConnectSpeaker({ arrived: asked, reject }), http],
    maxConnections: config.limits.connections,
    headTimeout,
    usher: limiting.usher,
    full: () => limiting.met('connections'),
    reject,
    drop,
    veil: proxyTls,
  });

  // ---- act ---------------------------------------------------------------------------------------------------------
  const own = (): readonly OwnPort[] =>
    addresses === null
      ? []
      : [
          { port: addresses.proxy.port, pages: false },
          ...(tlsPort === null ? [] : [{ port: tlsPort, pages: false }]),
          { port: addresses.admin.port, pages: false },
          { port: addresses.pages.port, pages: true },
        ];
  const via = `sallyport-${randomBytes(4).toString('hex')}`;
  const acting = createActing({ config, via, own, interceptor: decrypted, answers });
  const lifecycle = createLifecycle({
    snapshot: inForce.snapshot,
    now: options.now ?? Date.now,
    hello: (arrival, upstream: Upstream | null) => awaitHello(arrival, upstream?.feed ?? null, config.tunnels),
    act: acting.act,
    record,
    surprised,
  });

  // ---- pages and admin ---------------------------------------------------------------------------------------------
  const { tokenFile } = config.admin;
  const { pages, admin } = createPorts({
    config: inForce.config,
    pagesUrl,
    // Before `listen` a port that the system is to choose has no number; the PAC file is only checked then, not served.
    proxyPort: () => addresses?.proxy.port ?? Math.max(1, inForce.config().listen.proxy.port),
    authority,
    build,
    hosts: config.admin.hosts,
    token: tokenFile === null ? null : await readToken(tokenFile),
    reloaded: inForce.reloaded,
    draining: () => draining,
    metrics,
    verify: (token) => signer.verify(token, Date.now()),
    findBlock: (id, clientAddress) => recent.find(id, clientAddress),
    blocksOf: (clientAddress) => recent.ofClient(clientAddress, 5),
    trusted: trust.accepts,
    lists,
    onFault: (id, error) => log(`internal error ${id}: ${describe(error)}`),
  });

  // ---- the whole ---------------------------------------------------------------------------------------------------
  const reload = (): boolean => {
    const successful = inForce.reload((next) => {
      proxyTls?.follow(next);
      answers.follow(next, pagesUrl(next));
      authenticating.follow(next);
      limiting.follow(next);
      metrics.expect(expectedSeries(next.vendors));
    });
    reopen();
    updates.follow();
    return successful;
  };
  const updates = createCatalogueUpdates({ config: inForce.config, attempt: options.load, reload, log });
  const close = async (): Promise<void> => {
    updates.close();
    doors.stop();
    doors.destroy();
    decrypted.close();
    http.close();
    acting.close();
    await Promise.all([pages.close(), admin.close()]);
    await authenticating.close();
    await record.close();
  };

  return {
    config: inForce.config,
    caFile: authority.certFile,
    async listen() {
      const proxy = {
        listen: async (address: Addresses['proxy']) => {
          const { port } = await door.listen(address);
          if (config.proxyTls !== null) tlsPort = await doors.listenTls(config.proxyTls.address, log);
          return { host: address.host, port };
        },
      };
      addresses = await openPorts(config.listen, { admin, pages, proxy }, close);
      answers.follow(inForce.config(), pagesUrl());
      updates.follow();
      return addresses;
    },
    reload,
    async drain() {
      draining = true;
      doors.stop();
      const until = performance.now() + drainTimeout;
      while (doors.connections() > 0 && performance.now() < until) {
        http.closeIdle();
        decrypted.closeIdle();
        await setTimeout(50);
      }
    },
    close,
    uncaught(error) {
      metrics.uncaughtException();
      log(`uncaught exception: ${describe(error)}; draining, then ending`);
    },
  };
}
