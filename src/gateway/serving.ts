/** Builds everything that serves clients: the front doors, the answers, the connections to origins and the records. */
import { setTimeout } from 'node:timers/promises';
import type { OwnPort } from '../act/destinations.ts';
import type { Upstream } from '../act/tunnel.ts';
import { createTurnAway } from '../act/turn-away.ts';
import { createContextSigner } from '../answers/context.ts';
import { createLeaves } from '../certificates/leaves.ts';
import { createMintQueue } from '../certificates/mint-queue.ts';
import type { Config } from '../config/schema.ts';
import { nextChange } from '../decide/schedule.ts';
import { describe } from '../errors.ts';
import type { Arrival, Rejected } from '../flow.ts';
import { createLifecycle } from '../lifecycle.ts';
import { createAccess } from '../listen/access.ts';
import { createConnectSpeaker } from '../listen/connect.ts';
import { createDecrypted } from '../listen/decrypted.ts';
import { awaitHello } from '../listen/hello.ts';
import { createHttpSpeaker } from '../listen/http.ts';
import { expectedSeries } from '../record/expected.ts';
import type { TrustNote } from '../record/trust.ts';
import { createActing } from './acting.ts';
import { createAnswering } from './answering.ts';
import { createAuthenticating } from './authenticating.ts';
import { createDoors } from './doors.ts';
import { heldOpen } from './held-open.ts';
import type { InForce } from './in-force.ts';
import { createLimiting, type Limit } from './limiting.ts';
import type { Addresses } from './listening.ts';
import { createOpenTunnels } from './open-tunnels.ts';
import type { Login } from '../identify/password-attempts.ts';
import { openProxyTls } from './proxy-tls.ts';
import { createRecording, type Recording, type RecordingOptions } from './recording.ts';
import type { Shared } from './shared.ts';

type Observed = RecordingOptions['observed'];

export interface ServingOptions extends Pick<RecordingOptions, 'build' | 'stdout' | 'log' | 'elsewhere'> {
  readonly inForce: Pick<InForce, 'config' | 'snapshot' | 'reloaded'>;
  readonly shared: Shared;
  /** The policy's clock, in epoch milliseconds. */
  readonly now: () => number;
  /** The addresses that this process or its siblings are bound to; null: none yet. */
  readonly addresses: () => Addresses | null;
  readonly pagesUrl: (config: Config) => string;
  /** Facts from other parts. */
  readonly observed: Omit<
    Observed,
    | 'tunnelsOpen'
    | 'connectionsOpen'
    | 'limited'
    | 'authentications'
    | 'leafCertificatesMinted'
    | 'caNotAfter'
    | 'proxyTlsExpiry'
    | 'configReload'
    | 'policyHash'
    | 'catalogue'
    | 'tunnelsRejudged'
  >;
  /** Called with clients' reactions to our leaves, after they were recorded. */
  readonly trusted: (note: TrustNote) => void;
  /** Called with clients that users log in from. */
  readonly loggedIn: (login: Login) => void;
}

export interface Serving {
  readonly recording: Recording;
  readonly signer: ReturnType<typeof createContextSigner>;
  /** Takes over a login that another process has seen. */
  readonly know: (login: Login) => void;
  /**
   * Opens the proxy port, and the one over TLS.
   *
   * @param reusePort other processes may listen on the same port with sockets of their own.
   * @throws the system's error.
   */
  readonly listen: (address: Addresses['proxy'], reusePort?: boolean) => Promise<Addresses['proxy']>;
  /** The bound port over TLS; null if there is none. */
  readonly tlsPort: () => number | null;
  /** Applies a new configuration, or nothing of it. @throws {ConfigError} if something that it names cannot be used. */
  readonly follow: (config: Config) => void;
  /**
   * Called after a change of exceptions or pauses: judges open tunnels again, and closes intercepted connections
   * without a request in progress, so that their clients reconnect.
   */
  readonly judgeAgain: () => void;
  /** Counts one refusal. */
  readonly met: (limit: Limit) => void;
  /** Applies another URL of the pages. */
  readonly renamePages: () => void;
  /** Stops accepting connections, and resolves once the open ones have ended or the drain time is over. */
  readonly drain: () => Promise<void>;
  /** Ends everything that is still open, except the recording. */
  readonly end: () => void;
  /** Resolves when everything is written and nothing is in progress. */
  readonly close: () => Promise<void>;
}

/** Milliseconds that are waited for the attempts that were cut to reach their record. */
const RECORD_TIME = 2_000;

export function createServing(options: ServingOptions): Serving {
  const { inForce, shared, addresses, pagesUrl, log } = options;
  const config = inForce.config();
  let tlsPort: number | null = null;
  const surprised = (error: unknown): void => log(`internal error: ${describe(error)}`);

  const leaves = createLeaves(shared.authority, {
    leafDays: config.certificates.leafDays,
    key: shared.leafKey,
    cacheSize: 5_000,
    now: Date.now,
    ticketKeys: shared.ticketKeys,
  });
  const signer = createContextSigner(shared.contextSecret, Math.round(config.redirect.contextLifetime / 1000));
  const limiting = createLimiting(config);
  const authenticating = createAuthenticating({
    config,
    log,
    queueFull: () => limiting.met('password_queue'),
    throttled: () => limiting.met('password_attempts'),
    loggedIn: options.loggedIn,
  });

  // ---- record ------------------------------------------------------------------------------------------------------
  const recording = createRecording({
    config,
    build: options.build,
    stdout: options.stdout,
    log,
    elsewhere: options.elsewhere,
    observed: {
      ...options.observed,
      tunnelsOpen: limiting.tunnels,
      connectionsOpen: () => doors.connections(),
      limited: limiting.counts,
      authentications: authenticating.counts,
      leafCertificatesMinted: () => leaves.stats().minted,
      caNotAfter: () => shared.authority.notAfter,
      proxyTlsExpiry: () => proxyTls?.expiry() ?? {},
      configReload: inForce.reloaded,
      policyHash: () => inForce.config().policyHash,
      catalogue: () => inForce.config().catalogue,
      tunnelsRejudged: () => openTunnels.counts(),
    },
  });
  const { record, metrics, trust } = recording;
  const answers = createAnswering(config, pagesUrl(config), signer.sign);

  // ---- listen ------------------------------------------------------------------------------------------------------
  const { reject, rejectRequest, drop } = createTurnAway({
    failed: answers.turnedAway,
    record: (rejected) => record.rejected(rejected),
    surprised,
  });
  /** What to log of a request that was refused before it was an attempt. */
  const asking = (asked: Arrival): Omit<Rejected, 'code' | 'detail'> => {
    const { id, at, clientAddress, clientPort } = asked;
    return { id, at, clientAddress, clientPort, asked };
  };
  const arrived = (arrival: Arrival): void => {
    if (arrival.kind !== 'tunnel') {
      void lifecycle.take(arrival);
      return;
    }
    const { clientAddress } = arrival;
    const problem = limiting.enterTunnel(clientAddress);
    if (problem === null) void lifecycle.take(arrival).then(() => limiting.leaveTunnel(clientAddress));
    else reject(arrival.socket, asking(arrival), problem, 'the limit of open tunnels is reached');
  };
  const { asked, askedInside } = createAccess({
    tooOften: limiting.tooOften,
    rules: authenticating.rules,
    arrived,
    reject(arrival, code, detail) {
      if ('res' in arrival) rejectRequest(arrival.req, arrival.res, asking(arrival), code, detail);
      else reject(arrival.socket, asking(arrival), code, detail);
    },
    missing: authenticating.missing,
    surprised,
  });
  const { headTimeout, drainTimeout } = config.limits;
  const wire = { headTimeout, idleTimeout: config.tunnels.idleTimeout, rejectRequest, reject };
  const decrypted = createDecrypted({
    ...wire,
    arrived: askedInside,
    contextFor: (target, resumable) => leaves.contextFor(target, resumable),
    trusted(clientAddress, result) {
      const now = Date.now();
      trust.note(clientAddress, result, now);
      options.trusted({ clientAddress, result, at: now });
    },
  });
  const http = createHttpSpeaker({ ...wire, arrived: asked });
  const proxyTls = openProxyTls(config, {
    authority: shared.authority,
    key: shared.leafKey,
    now: Date.now,
    log,
  });
  const { door, doors } = createDoors({
    speakers: [createConnectSpeaker({ arrived: asked, reject }), http],
    maxConnections: config.limits.connections,
    headTimeout,
    admit: limiting.admit,
    lifetime: () => inForce.config().limits.connectionLifetime,
    aged: () => limiting.met('connection_lifetime'),
    full: () => limiting.met('connections'),
    reject,
    drop,
    tls: proxyTls,
  });

  // ---- act ---------------------------------------------------------------------------------------------------------
  const own = (): readonly OwnPort[] => {
    const open = addresses();
    if (open === null) return [];
    return [
      { port: open.proxy.port, pages: false },
      ...(tlsPort === null ? [] : [{ port: tlsPort, pages: false }]),
      { port: open.admin.port, pages: false },
      { port: open.pages.port, pages: true },
    ];
  };
  const room = createMintQueue({
    perSecond: config.limits.leafCertificates,
    waiting: config.limits.leafCertificates,
    isCached: leaves.isCached,
    now: () => performance.now(),
    refused: () => limiting.met('leaf_certificates'),
  });
  const acting = createActing({ config, via: shared.via, own, interceptor: decrypted, room, answers });
  const openTunnels = createOpenTunnels({
    snapshot: inForce.snapshot,
    now: options.now,
    nextChange: (now) => nextChange(inForce.config().policy, now),
    drainTimeout: config.tunnels.drainTimeout,
    drainIdle: config.tunnels.drainIdle,
    log,
    surprised,
  });
  const lifecycle = createLifecycle({
    snapshot: inForce.snapshot,
    now: options.now,
    hello: (arrival, upstream: Upstream | null) => awaitHello(arrival, upstream?.feed ?? null, config.tunnels),
    act: heldOpen(acting.act, openTunnels),
    record,
    surprised,
  });

  return {
    recording,
    signer,
    async listen(address, reusePort = false) {
      const { port } = await door.listen(address, reusePort);
      if (config.proxyTls !== null) tlsPort = await doors.listenTls(config.proxyTls.address, log, reusePort);
      return { host: address.host, port };
    },
    tlsPort: () => tlsPort,
    know: authenticating.know,
    met: limiting.met,
    follow(next) {
      // Everything is prepared before any of it comes into force, as preparing may throw. What is opened comes last.
      const made = [proxyTls?.toFollow(next), answers.toFollow(next, pagesUrl(next)), authenticating.toFollow(next)];
      for (const swap of made) swap?.();
      limiting.follow(next);
      metrics.expect(expectedSeries(next.vendors));
      // Deferred until the configuration is in force.
      openTunnels.judgeAgain();
    },
    judgeAgain() {
      decrypted.closeIdle();
      openTunnels.judgeAgain();
    },
    renamePages: () => answers.toFollow(inForce.config(), pagesUrl(inForce.config()))(),
    async drain() {
      doors.stop();
      const until = performance.now() + drainTimeout;
      while (doors.connections() > 0 && performance.now() < until) {
        http.closeIdle();
        decrypted.closeIdle();
        await setTimeout(50);
      }
    },
    end() {
      lifecycle.cut();
      openTunnels.close();
      doors.stop();
      doors.destroy();
      decrypted.close();
      http.close();
      acting.close();
    },
    async close() {
      // What was cut must be recorded, too.
      const until = performance.now() + RECORD_TIME;
      while (lifecycle.underway() > 0 && performance.now() < until) await setTimeout(10);
      await authenticating.close();
      await record.close();
    },
  };
}
