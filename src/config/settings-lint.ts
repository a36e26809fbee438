/** Warns of settings that name something missing, or that nobody could reach. */
import { statSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import type { Warning } from './lint.ts';
import { hostOfUrl } from './network.ts';
import { shownPath, type Path } from './problem.ts';
import type { Config } from './schema.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0 ? /^(?:.+\.)?localhost$/.test(host) : loopback.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function unreachablePages({ listen, pages, file }: Config): Warning[] {
  if (!/^https?:\/\/(?:0\.0\.0\.0|\[::\])(?::|\/|$)/.test(pages.url)) return [];
  const message = `pages.url is ${pages.url}, which no browser can open; set it to the name by which people reach ${listen.pages.host}`;
  return [{ file, path: ['pages', 'url'], message }];
}

/** Whether other machines can reach the proxy. */
function hasOthers({ listen, proxyTls }: Config): boolean {
  return [listen.proxy, proxyTls?.address].some((place) => place !== undefined && !isLoopback(place.host));
}

/** For another machine, a loopback address means that machine itself. */
function ownPages(config: Config): Warning[] {
  const { pages, file } = config;
  if (!hasOthers(config) || !isLoopback(hostOfUrl(new URL(pages.url)))) return [];
  const message = `pages.url is ${pages.url}, which works only on the proxy's own machine, and block pages link there; set it to the name by which people reach the pages`;
  return [{ file, path: ['pages', 'url'], message }];
}

/** A proxy port that requires neither a password nor a client certificate. */
function openToAll({ listen, clients, proxyTls, file }: Config): Warning[] {
  const asked = clients.authentication?.required === true;
  if (asked || !clients.networks.some((network) => network.endsWith('/0'))) return [];
  const isShown = proxyTls?.clientCaFile != null && proxyTls.clientCertificate === 'required';
  const doors = [
    ['proxy', listen.proxy] as const,
    ...(proxyTls === null || isShown ? [] : [['proxy_tls', proxyTls.address] as const]),
  ];
  return doors
    .filter(([, { host }]) => !isLoopback(host))
    .slice(0, 1)
    .map(([key, { host }]) => {
      const message = `listen.${key} is open on ${host}, and clients.networks lets everybody use it; write the networks of your clients there, such as [10.0.0.0/8, fd00::/8]`;
      return { file, path: ['listen', key], message };
    });
}

/** As {@link ownPages}, for the assistants. */
function ownAssistants(config: Config): Warning[] {
  const { policyOfFile, policyFile: file } = config;
  if (!hasOthers(config)) return [];
  return policyOfFile.assistants.flatMap(({ id, url }) => {
    if (!isLoopback(hostOfUrl(new URL(url)))) return [];
    const message = `the assistant "${id}" is at ${url}, which works only on the proxy's own machine; write the address by which people reach it`;
    return [{ file, path: ['assistants', id, 'url'], message }];
  });
}

/**
 * Files that a proxy reads when it starts, by the keys that name them. Those that the policy needs are errors instead.
 */
function namedFiles({ admin, certificates, clients, outbound, proxyTls }: Config): [Path, string | null][] {
  const { authority } = certificates;
  const source = clients.authentication?.source;
  const tls = ['listen', 'proxy_tls'];
  const own = ['certificates', 'authority'];
  return [
    [['admin', 'token_file'], admin.tokenFile],
    [['outbound', 'ca_file'], outbound.caFile],
    [[...own, 'cert_file'], authority?.certFile ?? null],
    [[...own, 'key_file'], authority?.keyFile ?? null],
    [[...own, 'passphrase_file'], authority?.passphraseFile ?? null],
    [[...tls, 'cert_file'], proxyTls?.files?.cert ?? null],
    [[...tls, 'key_file'], proxyTls?.files?.key ?? null],
    [[...tls, 'client_ca_file'], proxyTls?.clientCaFile ?? null],
    [[...tls, 'client_crl_file'], proxyTls?.clientCrlFile ?? null],
    [['clients', 'authentication', 'ldap', 'password_file'], source?.kind === 'ldap' ? source.passwordFile : null],
  ];
}

/** False also if this account cannot access the folder. */
function isMissing(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** Warnings rather than errors: a configuration may be checked on machines without the proxy's secrets. */
function missingFiles(config: Config): Warning[] {
  return namedFiles(config).flatMap(([path, named]) => {
    if (named === null || !isMissing(named)) return [];
    const message = `there is no file ${shownPath(named)} here, but the proxy needs it; create it, or correct the path`;
    return [{ file: config.file, path, message }];
  });
}

/** Everything in sallyport.yaml that looks like a mistake. */
export function lintSettings(config: Config): Warning[] {
  return [
    ...missingFiles(config),
    ...openToAll(config),
    ...unreachablePages(config),
    ...ownPages(config),
    ...ownAssistants(config),
  ];
}
