/** Builds all parts from the configuration and connects them. The only file that depends on all stations. */
import { randomInt } from 'node:crypto';
import { createPorts } from './admin/ports.ts';
import { doubtLine } from './certificates/authority.ts';
import { readToken } from './certificates/secret.ts';
import type { Bundle } from './config/bundle.ts';
import type { Config } from './config/schema.ts';
import type { DomainSets } from './decide/near.ts';
import { describe } from './errors.ts';
import { createCatalogueUpdates } from './gateway/catalogue-updates.ts';
import { createDomainLists } from './gateway/domain-lists.ts';
import { createExceptions } from './gateway/exceptions.ts';
import type { WorkerPool, WorkerPoolEvents } from './gateway/worker-pool.ts';
import { createInForce, type Asked, type Reloaded } from './gateway/in-force.ts';
import { openPorts, pagesUrlOf, type Addresses, type Others } from './gateway/listening.ts';
import { createReloading, outOfFiles } from './gateway/reloading.ts';
import { createScrapes } from './gateway/scrapes.ts';
import { createServing } from './gateway/serving.ts';
import { openShared } from './gateway/shared.ts';
import { createTokenAttempts } from './gateway/token-attempts.ts';
import { clientKey } from './listen/peers.ts';

export interface GatewayOptions {
  /**
   * Reads the configuration, at the start and at each reload.
   *
   * @param candidate a bundle to try in place of the last fetched catalogue.
   * @throws {ConfigError}
   */
  readonly load: (candidate?: Bundle) => Config;
  readonly version: string;
  readonly nodeVersion: string;
  /** Where an access log with the path `-` goes. */
  readonly stdout: NodeJS.WritableStream;
  /** Logs a line about an event that an operator should know of. */
  readonly log: (line: string) => void;
  /**
   * The policy's clock, in epoch milliseconds; by default the machine's. Certificates always use the machine's, as do
   * the clients that verify them.
   */
  readonly now?: () => number;
  /** Creates worker processes that serve clients; absent: this process serves them. */
  readonly workerPool?: (events: WorkerPoolEvents) => WorkerPool;
}

export interface Gateway {
  /** The configuration in force. */
  readonly config: () => Config;
  /** The external domain lists in force. */
  readonly lists: () => DomainSets;
  /** Path of the CA certificate that clients have to trust. */
  readonly caFile: string;
  /** Opens all three ports, or none. @throws {ConfigError} naming the port that could not be opened. */
  readonly listen: () => Promise<Addresses>;
  /** Reloads synchronously. False if it failed: the old configuration stays in force, and the reason is logged. */
  readonly reload: () => boolean;
  /** Like `reload`, but reads new files in small steps, so that no connection has to wait. */
  readonly refresh: () => Promise<boolean>;
  /** Stops accepting connections, and resolves once the open ones have ended or the drain time is over. */
  readonly drain: () => Promise<void>;
  /** Ends everything that is still open. */
  readonly close: () => Promise<void>;
  /** Counts and logs an uncaught exception. */
  readonly uncaught: (error: unknown) => void;
}

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { version, nodeVersion, log } = options;
  const build = { version, nodeVersion };
  const refusesLeaf = (clientAddress: string): boolean => trust.refuses(clientAddress, Date.now());
  const now = options.now ?? Date.now;
  const load = (): Config => options.load();
  const changed = (): void => void reloadAs('by-change', 'files');
  const domainLists = createDomainLists({ changed, log, fetches: true, seed: randomInt(2 ** 32) });
  await domainLists.prepare(load());
  const inForce = createInForce({ load, sets: domainLists.sets, demand: domainLists.demand, refusesLeaf, now, log });
  const config = inForce.config();
  const shared = await openShared(config);
  const { authority } = shared;
  const doubt = doubtLine(authority);
  if (doubt !== null) log(doubt);
  let addresses: Addresses | null = null;
  let draining = false;

  const pagesUrl = (now: Config = inForce.config()): string => pagesUrlOf(now, addresses?.pages);
  const serving = createServing({
    inForce,
    shared,
    build,
    stdout: options.stdout,
    log,
    now,
    addresses: () => addresses,
    pagesUrl,
    observed: {
      exceptions: () => exceptions.running(),
      domainLists: domainLists.facts,
      catalogueFetches: () => ({ ...updates.counts(), lastSuccessAt: updates.lastSuccessAt() }),
      workers: () => workerPool?.counts() ?? { running: 1, replaced: 0 },
    },
    elsewhere: null,
    trusted: () => undefined,
    loggedIn: () => undefined,
  });
  const { metrics, recent, trust, reopen, lists } = serving.recording;
  const workerPool = options.workerPool?.({ ...serving.recording, log }) ?? null;

  const exceptions = createExceptions({
    config: inForce.config,
    adopt(stored) {
      inForce.adopt(stored);
      workerPool?.adopt(inForce.config());
    },
    // Closes idle connections of denied clients, which then reconnect. Otherwise a new exception would have no effect
    // until they end.
    changed: serving.judgeAgain,
    now,
    log,
  });

  // ---- pages and admin ---------------------------------------------------------------------------------------------
  const { tokenFile } = config.admin;
  const { pages, admin } = createPorts({
    config: inForce.config,
    pagesUrl,
    // Before `listen`, a port to be chosen by the system is 0, which no PAC file may contain; 1 is used instead, as the
    // file is then only validated, not served.
    proxyPort: () => addresses?.proxy.port ?? Math.max(1, inForce.config().listen.proxy.port),
    // The current settings, except for the address, which changes only on a restart.
    proxyTls() {
      const { proxyTls } = inForce.config();
      return proxyTls === null || config.proxyTls === null ? null : { ...proxyTls, address: config.proxyTls.address };
    },
    now,
    authority,
    build,
    hosts: config.admin.hosts,
    token: tokenFile === null ? null : readToken(tokenFile),
    tokenAttempts: createTokenAttempts({ met: () => serving.met('admin_tokens'), log, now: () => performance.now() }),
    reloaded: inForce.reloaded,
    notReady() {
      if (draining) return 'draining';
      if (workerPool?.counts().running === 0) return 'no worker serves';
      return domainLists.awaited();
    },
    metrics: {
      contentType: metrics.contentType,
      render: createScrapes(
        () => workerPool?.metrics() ?? metrics.render(),
        () => performance.now(),
      ),
    },
    verify: (token) => serving.signer.verify(token, Date.now()),
    findBlock: (id, clientAddress) => recent.find(id, clientAddress),
    blocksOf: (clientAddress) => recent.ofClient(clientAddress, 5),
    trusted: trust.accepts,
    lists: { ...lists, lists: () => ({ lists: domainLists.facts() }) },
    actions: {
      async reload() {
        const done = await reloading.refresh();
        const { problem } = inForce.reloaded();
        return { done, policy: inForce.config().policyHash, problem, needsRestart: reloading.waiting() };
      },
    },
    exceptions,
    clientKey,
    onFault: (id, error) => log(`internal error ${id}: ${describe(error)}`),
  });

  // ---- the whole ---------------------------------------------------------------------------------------------------
  const reloadAs = (asked: Asked, from: 'preview' | 'files'): Reloaded => {
    const reloaded = inForce.reload(serving.follow, asked, from);
    // On an operator's request even without changes, since files that the configuration refers to may have changed.
    if (reloaded === 'changed' || (reloaded === 'same' && asked === 'by-operator'))
      workerPool?.follow(inForce.config());
    if (asked === 'by-operator') reopen();
    const noFiles = reloaded === 'failed' && outOfFiles(inForce.reloaded().problem);
    if (reloaded === 'held' || noFiles) reloading.lookAgain();
    if (reloaded === 'changed') reloading.follow();
    if (reloaded === 'changed') exceptions.follow();
    if (reloaded === 'changed' || asked === 'by-operator') updates.follow();
    return reloaded;
  };
  const reload = (): boolean => reloadAs('by-operator', 'files') !== 'failed';
  const reloading = createReloading({
    config: inForce.config,
    preview: inForce.preview,
    lists: domainLists,
    reload: reloadAs,
    reloaded: inForce.reloaded,
    log,
  });
  const updates = createCatalogueUpdates({
    config: inForce.config,
    attempt: options.load,
    // Nobody vouches for the other files, which may be half written.
    reload: () => reloadAs('by-change', 'files') !== 'failed',
    log,
  });
  const close = async (): Promise<void> => {
    reloading.close();
    domainLists.close();
    updates.close();
    exceptions.close();
    serving.end();
    await workerPool?.close();
    await Promise.all([pages.close(), admin.close()]);
    await serving.close();
  };

  return {
    config: inForce.config,
    lists: domainLists.sets,
    caFile: authority.certFile,
    async listen() {
      const proxy = {
        listen: (address: Addresses['proxy'], others: Others) =>
          workerPool === null
            ? serving.listen(address)
            : workerPool.listen({
                config: inForce.config(),
                shared,
                addresses: { ...others, proxy: address },
                lists: domainLists.loaded,
              }),
      };
      addresses = await openPorts(config.listen, { admin, pages, proxy }, close);
      serving.renamePages();
      updates.follow();
      reloading.follow();
      exceptions.follow();
      return addresses;
    },
    reload,
    refresh: reloading.refresh,
    async drain() {
      draining = true;
      await Promise.all([serving.drain(), workerPool?.drain()]);
    },
    close,
    uncaught(error) {
      metrics.uncaughtException();
      log(`uncaught exception: ${describe(error)}; draining, then exiting`);
    },
  };
}
