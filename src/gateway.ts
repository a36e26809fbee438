/** Builds every part from the configuration and wires them; the only file that knows all stations. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { createAct, type ActAnswers } from './act/act.ts';
import { createDestinations } from './act/destinations.ts';
import { createForward } from './act/forward.ts';
import { createResolver } from './act/resolver.ts';
import { createTunnel, type Upstream } from './act/tunnel.ts';
import { createTurnAway } from './act/turn-away.ts';
import { upgrade } from './act/upgrade.ts';
import { createDialler } from './act/upstream.ts';
import type { Address } from './admin/http-server.ts';
import { createPorts } from './admin/ports.ts';
import { createAnswers } from './answers/answers.ts';
import { createContextSigner } from './answers/context.ts';
import { openAuthority } from './certificates/authority.ts';
import { createLeaves } from './certificates/leaves.ts';
import { openSecret, readToken } from './certificates/secret.ts';
import type { Config } from './config/schema.ts';
import { ConfigError, describe } from './errors.ts';
import type { Arrival } from './flow.ts';
import { createRecording } from './gateway/recording.ts';
import { snapshotOf } from './gateway/snapshot.ts';
import { createLifecycle } from './lifecycle.ts';
import { createConnectSpeaker } from './listen/connect.ts';
import { createDecrypted } from './listen/decrypted.ts';
import { createFrontDoor } from './listen/front-door.ts';
import { awaitHello } from './listen/hello.ts';
import { createHttpSpeaker } from './listen/http.ts';
import { expectedSeries } from './record/expected.ts';

export interface GatewayOptions {
  /** Reads the configuration; asked again at each reload. @throws {ConfigError} */
  readonly load: () => Config;
  readonly version: string;
  readonly nodeVersion: string;
  /** Where an access log with the path `-` goes. */
  readonly stdout: NodeJS.WritableStream;
  /** Hears one line for each event that an operator should know of. */
  readonly log: (line: string) => void;
}

export interface Addresses {
  readonly proxy: Address;
  readonly pages: Address;
  readonly admin: Address;
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

function listenFault(what: string, address: Address, error: unknown): ConfigError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const cure = code === 'EADDRINUSE' ? 'another process has it' : 'it cannot be used on this machine';
  return new ConfigError(
    `cannot listen on ${address.host}:${address.port} (${code}): ${cure}; change listen.${what} in the configuration`,
  );
}

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { version, log } = options;
  let config = options.load();
  const refusesLeaf = (clientAddress: string): boolean => trust.refuses(clientAddress, Date.now());
  let snapshot = snapshotOf(config, refusesLeaf);
  let addresses: Addresses | null = null;
  let reloaded = { successful: true, lastSuccessAt: Date.now(), problem: null as string | null };
  let draining = false;
  let tunnels = 0;
  const via = `sallyport-${randomBytes(4).toString('hex')}`;
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

  // ---- record ------------------------------------------------------------------------------------------------------
  const { record, metrics, recent, trust, reopen, lists } = createRecording({
    config,
    build: { version, nodeVersion: options.nodeVersion },
    stdout: options.stdout,
    log,
    observed: {
      tunnelsOpen: () => tunnels,
      connectionsOpen: () => door.connections(),
      leafCertificatesMinted: () => leaves.stats().minted,
      caNotAfter: () => authority.notAfter,
      configReload: () => reloaded,
      policyHash: () => config.policyHash,
      catalogue: () => config.catalogue,
    },
  });

  // ---- answers -----------------------------------------------------------------------------------------------------
  const pagesUrl = (): string => {
    const bound = addresses?.pages;
    return config.listen.pages.port === 0 && bound !== undefined
      ? `http://${bound.host}:${bound.port}`
      : config.pages.url;
  };
  const makeAnswers = (): ReturnType<typeof createAnswers> =>
    createAnswers({
      viaName: 'sallyport',
      company: config.pages.company,
      language: config.pages.language,
      timeZone: config.policy.timeZone,
      pagesUrl: pagesUrl(),
      sign: signer.sign,
    });
  let answers = makeAnswers();
  const about = (arrival: Arrival): Parameters<typeof answers.denied>[1] => ({
    id: arrival.id,
    at: arrival.at,
    target: arrival.target,
    facts: arrival.kind === 'tunnel' ? null : arrival.facts,
  });
  const actAnswers: ActAnswers = {
    denied: (denial, arrival) => answers.denied(denial, about(arrival)),
    redirected: (denial, arrival) => answers.redirected(denial, about(arrival)),
    upgradeDenied: (denial, arrival) => answers.upgradeDenied(denial, about(arrival)),
    connectDenied: (denial, arrival) => answers.connectDenied(denial, about(arrival)),
    failed: (code, arrival) => answers.failed(code, about(arrival)),
  };

  // ---- listen ------------------------------------------------------------------------------------------------------
  const { reject, rejectRequest } = createTurnAway({
    failed: (code, { id, at }) => answers.failed(code, { id, at, target: null, facts: null }),
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
  const { headTimeout, drainTimeout } = config.limits;
  const { idleTimeout, tlsRequiredPorts } = config.tunnels;
  const wire = { headTimeout, idleTimeout, arrived, rejectRequest, reject };
  const decrypted = createDecrypted({
    ...wire,
    contextFor: (target) => leaves.contextFor(target),
    trusted: (clientAddress, result) => trust.note(clientAddress, result, Date.now()),
  });
  const http = createHttpSpeaker(wire);
  const door = createFrontDoor({
    speakers: [createConnectSpeaker({ arrived, reject }), http],
    maxConnections: config.limits.connections,
    headTimeout,
    reject,
  });
  // ---- act ---------------------------------------------------------------------------------------------------------
  const ownPorts = (): { port: number; pages: boolean }[] =>
    addresses === null
      ? []
      : [
          { port: addresses.proxy.port, pages: false },
          { port: addresses.admin.port, pages: false },
          { port: addresses.pages.port, pages: true },
        ];
  const dialler = createDialler({
    resolver: createResolver({ hosts: config.outbound.hosts, timeout: config.outbound.connectTimeout }),
    destinations: createDestinations({ ports: config.outbound.ports, allow: config.outbound.allow, own: ownPorts }),
    connectTimeout: config.outbound.connectTimeout,
  });
  const outgoing = { dialler, via, idleTimeout, failed: actAnswers.failed };
  const forward = createForward(outgoing);
  const lifecycle = createLifecycle({
    snapshot: () => snapshot,
    now: Date.now,
    hello: (arrival, upstream: Upstream | null) => awaitHello(arrival, upstream?.feed ?? null, config.tunnels),
    act: createAct({
      tunnel: createTunnel({ dialler, idleTimeout, tlsRequiredPorts, failed: actAnswers.failed }),
      interceptor: decrypted,
      forward,
      upgrade: (arrival) => upgrade(outgoing, arrival),
      answers: actAnswers,
    }),
    record,
    surprised,
  });

  // ---- pages and admin ---------------------------------------------------------------------------------------------
  const { tokenFile } = config.admin;
  const token = tokenFile === null ? null : await readToken(tokenFile);
  const { pages, admin } = createPorts({
    config: () => config,
    pagesUrl,
    // Before `listen` a port that the system is to choose has no number; the PAC file is only checked then, not served.
    proxyPort: () => addresses?.proxy.port ?? Math.max(1, config.listen.proxy.port),
    authority,
    build: { version, nodeVersion: options.nodeVersion },
    hosts: config.admin.hosts,
    token,
    reloaded: () => reloaded,
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
  const close = async (): Promise<void> => {
    door.stop();
    door.destroy();
    decrypted.close();
    http.close();
    forward.close();
    await Promise.all([pages.close(), admin.close()]);
    await record.close();
  };

  return {
    config: () => config,
    caFile: authority.certFile,
    async listen() {
      const { listen } = config;
      const bind = async (what: keyof Addresses, open: (address: Address) => Promise<Address>): Promise<Address> => {
        try {
          return await open(listen[what]);
        } catch (error) {
          await close();
          throw listenFault(what, listen[what], error);
        }
      };
      const adminAddress = await bind('admin', (address) => admin.listen(address));
      const pagesAddress = await bind('pages', (address) => pages.listen(address));
      const proxy = await bind('proxy', async (address) => {
        const { port } = await door.listen(address);
        return { host: address.host, port };
      });
      addresses = { proxy, pages: pagesAddress, admin: adminAddress };
      answers = makeAnswers();
      return addresses;
    },
    reload() {
      try {
        const next = options.load();
        snapshot = snapshotOf(next, refusesLeaf);
        config = next;
        answers = makeAnswers();
        metrics.expect(expectedSeries(next.vendors));
        reloaded = { successful: true, lastSuccessAt: Date.now(), problem: null };
        log(`reloaded: ${next.policy.rules.length} rules, policy ${next.policyHash}`);
      } catch (error) {
        const problem = error instanceof ConfigError ? error.message : describe(error);
        reloaded = { ...reloaded, successful: false, problem };
        log(`reload failed, the old policy stays: ${problem}`);
      }
      reopen();
      return reloaded.successful;
    },
    async drain() {
      draining = true;
      door.stop();
      const until = performance.now() + drainTimeout;
      while (door.connections() > 0 && performance.now() < until) {
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
