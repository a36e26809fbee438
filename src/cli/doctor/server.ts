/** Checks whether the proxy's machine has what it needs: configuration, CA, ports, DNS, disk, open files. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { createServer, isIP } from 'node:net';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { dirname } from 'node:path';
import { createFixed, createResolver } from '../../act/resolver.ts';
import { findAuthority, validityFault } from '../../certificates/authority.ts';
import { trustedRoots } from '../../certificates/roots.ts';
import { counted } from '../../config/counted.ts';
import { lint } from '../../config/lint.ts';
import { loadConfig } from '../../config/load.ts';
import { callableHost, formatAddress, hostOfUrl, type Address } from '../../config/network.ts';
import { shownPath, type Path } from '../../config/problem.ts';
import type { Config } from '../../config/schema.ts';
import { ConfigError, SallyportError } from '../../errors.ts';
import { parseHost } from '../../listen/target.ts';
import { openFiles } from '../open-files.ts';
import { examine, portFiles } from '../start-files.ts';
import { directories } from './directory.ts';
import { bad, faultOf, good, skipped, warning, type Finding } from './finding.ts';

const DAY = 86_400_000;
/** Milliseconds for each request to another process. */
const PATIENCE = 3_000;
const MEBI = 1024 * 1024;
/** Log lines of a busy day; with less space there is a warning. */
const ROOM = 1024 * MEBI;

function configuration(config: Config, now: number): Finding {
  const warnings = lint(config, now);
  const [first] = warnings;
  const facts = `${counted(config.policy.rules.length, 'rule')}, ${counted(config.vendors.length, 'vendor')}, policy ${config.policyHash}`;
  if (first === undefined) return good('configuration', facts);
  const says = `${facts}; ${counted(warnings.length, 'warning')}, the first: ${first.message}`;
  return warning('configuration', says, 'run "sallyport check", which lists them all');
}

async function authority({ certificates }: Config, now: number): Promise<Finding> {
  const { authority: own, dir } = certificates;
  try {
    const found = await findAuthority({ ...certificates, own, now: () => now });
    if (found === null) {
      if (!existsSync(dirname(dir))) {
        const says = `there is none yet, and no folder ${dirname(dir)} to make it in`;
        return bad(
          'CA',
          says,
          'make that folder for the account of the proxy; as a service, systemd makes it at the start',
        );
      }
      accessSync(dirname(dir), constants.W_OK);
      return good('CA', `there is none yet; the first start makes it in ${shownPath(dir)}`);
    }
    const days = Math.floor((found.notAfter - now) / DAY);
    const renew = 'make or supply a new one';
    if (days < 0)
      return bad('CA', `${found.subject} expired ${counted(-days, 'day')} ago`, `${renew}: certs/README.md`);
    const fault = validityFault(found, now);
    if (fault !== null) return bad('CA', fault, 'the proxy will not start like this; see certs/README.md');
    if (days < 90) {
      const cure = `${renew} before that, and roll it out alongside the old one: certs/README.md`;
      return warning('CA', `${found.subject} expires in ${counted(days, 'day')}`, cure);
    }
    if (found.doubt !== null) return warning('CA', found.doubt.says, found.doubt.cure);
    return good('CA', `${found.subject}, valid for ${counted(days, 'more day')}; only its owner can use the key`);
  } catch (error) {
    const says = error instanceof ConfigError ? error.message : `${dir} cannot be used (${faultOf(error)})`;
    return bad('CA', says, 'correct the file, or its owner and mode, and try again');
  }
}

/** Files of the ports, which must exist on the proxy's machine. */
async function filesOfPorts(config: Config): Promise<Finding[]> {
  const named = portFiles(config);
  if (named.length === 0) return [];
  const { faults, warnings } = await examine(named);
  const key = (path: Path): string => path.join('.');
  if (faults.length + warnings.length === 0) {
    return [good('files', `${named.map(({ path }) => key(path)).join(' and ')} can be used`)];
  }
  return [
    ...faults.map(({ path, message }) => bad('files', message, `the proxy will not start like this; see ${key(path)}`)),
    ...warnings.map(({ path, message }) => warning('files', message, `see ${key(path)}`)),
  ];
}

function origins({ outbound }: Config): Finding {
  try {
    const roots = trustedRoots(outbound.caFile)();
    return good('authorities', `origins of decrypted requests are verified against ${roots.length} authorities`);
  } catch (error) {
    return bad('authorities', (error as Error).message, 'correct outbound.ca_file');
  }
}

/** Null if the port is free. */
function occupied({ host, port }: Address): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(faultOf(error)));
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}

interface Answer {
  readonly status: number | undefined;
  /** Whether it has a field that only Sallyport writes. */
  readonly hasField: boolean;
  readonly text: string;
}

/** Null if nothing answers in HTTP, or not in full within PATIENCE. */
function answerOf({ host, port }: Address, path: string, ask: typeof request): Promise<Answer | null> {
  return new Promise((resolve) => {
    // The field in the response identifies it; the certificate is the clients' concern.
    const from = { agent: false, signal: AbortSignal.timeout(PATIENCE), rejectUnauthorized: false };
    const asked = ask({ host: callableHost(host), port, path, ...from }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      res.once('end', () => {
        resolve({ status: res.statusCode, hasField: res.headers['x-proxy-error'] !== undefined, text });
      });
      res.once('error', () => resolve(null));
    });
    asked.once('error', () => resolve(null));
    asked.end();
  });
}

/** Whether a Sallyport answers there. */
async function isOurs(place: Address, ask: typeof request): Promise<boolean> {
  const answer = await answerOf(place, '/livez', ask);
  return answer !== null && (answer.status === 200 || answer.hasField);
}

/** The state of the running proxy, as it reports it; empty if none is running. */
async function running({ listen: { admin } }: Config): Promise<Finding[]> {
  const ready = await answerOf(admin, '/readyz', request);
  const metrics = await answerOf(admin, '/metrics', request);
  const reloaded = /^sallyport_config_last_reload_successful ([01])$/m.exec(metrics?.text ?? '')?.[1];
  if (ready === null || reloaded === undefined) return [];
  const refusing = `the running proxy says 503 to /readyz: ${ready.text.trim()}`;
  const stale = 'the running proxy could not read its files again, and goes on with what it read before';
  return [
    ready.status === 200
      ? good('readiness', 'the running proxy accepts new clients')
      : bad('readiness', refusing, 'see its log; until then, load balancers that ask send no clients'),
    reloaded === '1'
      ? good('reload', 'what the running proxy last read is in force')
      : bad('reload', stale, 'correct what "sallyport check" names, then run "sallyport reload"'),
  ];
}

/** @param ask how to send a request; null: the port requires a client certificate, which is not available here. */
async function port(name: string, place: Address, ask: typeof request | null = request): Promise<Finding> {
  const check = `port ${name}`;
  const shown = formatAddress(place);
  if (place.port === 0) return skipped(check, 'the system chooses it at the start');
  const fault = await occupied(place);
  if (fault === null) return good(check, `${shown} is free; the proxy is not running`);
  if (fault === 'EADDRINUSE' && ask === null)
    return skipped(check, `${shown} is taken; what answers there asks for a client certificate`);
  if (fault === 'EADDRINUSE' && ask !== null) {
    if (await isOurs(place, ask)) return good(check, `${shown} is answered by a running proxy`);
    return bad(check, `${shown} is taken by another process`, `end that process, or change listen.${name}`);
  }
  const cure = fault === 'EACCES' ? 'use a port above 1023, or CAP_NET_BIND_SERVICE' : `change listen.${name}`;
  return bad(check, `${shown} cannot be listened on (${fault})`, cure);
}

async function portOverTls({ proxyTls }: Config): Promise<Finding[]> {
  if (proxyTls === null) return [];
  const { address, clientCaFile, clientCertificate } = proxyTls;
  const demanding = clientCaFile !== null && clientCertificate === 'required';
  return [await port('proxy_tls', address, demanding ? null : requestTls)];
}

/** Names that this configuration depends on; otherwise one reserved for such use (RFC 2606). */
function namesToResolve({ policy, outbound }: Config): readonly string[] {
  const [fixed, always] = [createFixed(outbound.hosts), createFixed({})];
  const names = policy.assistants.map(({ url }) => hostOfUrl(new URL(url)));
  // Names that the configuration maps to addresses do not need DNS.
  const asked = names.filter((name) => isIP(name) === 0 && (fixed(name) === null || always(name) !== null));
  return asked.length > 0 ? [...new Set(asked)] : ['example.com'];
}

/** Resolves as the proxy does: hosts file, configured or system servers, with the same timeout. */
async function names(config: Config): Promise<Finding> {
  const { hosts, dnsServers: servers, connectTimeout: timeout } = config.outbound;
  const resolver = createResolver({ hosts, servers, timeout });
  const asked = namesToResolve(config);
  const answers = await Promise.all(
    asked.map(async (name) => {
      try {
        await resolver.resolve({ ...parseHost(name), port: 443 });
        return null;
      } catch (error) {
        return `${name} (${error instanceof SallyportError ? error.message : faultOf(error)})`;
      }
    }),
  );
  const failed = answers.filter((answer) => answer !== null);
  if (failed.length === 0) return good('DNS', `resolves ${asked.join(', ')}`);
  const cure =
    servers.length === 0
      ? 'check /etc/resolv.conf and the route to its servers'
      : `check outbound.dns_servers (${servers.join(', ')}) and the route to them`;
  return bad('DNS', `does not resolve ${failed.join(', ')}`, cure);
}

function disk(config: Config): Finding[] {
  const files = { 'access log': config.accessLog.path, 'block events': config.blockEvents.path };
  return Object.entries(files).map(([check, file]) => {
    if (file === '-' || file === 'none') return skipped(check, file === '-' ? 'to standard output' : 'is off');
    const dir = dirname(file);
    try {
      accessSync(dir, constants.W_OK);
      const { bavail, blocks, bsize } = statfsSync(dir);
      const free = bavail * bsize;
      const says = `${Math.floor(free / MEBI)} MiB free in ${dir}`;
      if (free < ROOM || bavail * 20 < blocks) return warning(check, says, 'make room, or rotate the log more often');
      return good(check, says);
    } catch (error) {
      return bad(
        check,
        `${dir} cannot be written (${faultOf(error)})`,
        'make the folder, and let the proxy write to it',
      );
    }
  });
}

function openFilesFinding(config: Config): Finding {
  const files = openFiles(config);
  if (files === null) return skipped('open files', 'this system does not report its limit');
  const { most, wanted, connections } = files;
  // The limit of this process, which may differ from that of the service.
  const says = `${most} may be open in what this shell starts; ${connections} connections need ${wanted}`;
  if (most >= wanted) return good('open files', says);
  const cure = 'raise ulimit -n, or LimitNOFILE of a service, or lower limits.connections';
  return warning('open files', says, cure);
}

/**
 * @param now epoch milliseconds.
 * @param user whom to search for in the directory; undefined: nobody.
 */
export async function examineServer(file: string, now: number, user?: string): Promise<readonly Finding[]> {
  let config: Config;
  try {
    config = loadConfig(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [bad('configuration', error.message, 'correct it; "sallyport check" lists everything that is wrong')];
  }
  const { listen } = config;
  return [
    configuration(config, now),
    await authority(config, now),
    origins(config),
    ...(await filesOfPorts(config)),
    await port('proxy', listen.proxy),
    ...(await portOverTls(config)),
    await port('pages', listen.pages),
    await port('admin', listen.admin),
    ...(await running(config)),
    await names(config),
    ...(await directories(config, user)),
    ...disk(config),
    openFilesFinding(config),
  ];
}
