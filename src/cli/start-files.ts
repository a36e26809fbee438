/**
 * Reads the files that `sallyport.yaml` refers to and that a proxy reads when it starts, in the same way and with the
 * same messages.
 */
import { accessSync, constants } from 'node:fs';
import { authorityFiles, doubtLine, findAuthority, validityFault } from '../certificates/authority.ts';
import { readCertificates, readKey, readPassword } from '../certificates/key-files.ts';
import { trustedRoots } from '../certificates/roots.ts';
import { readToken } from '../certificates/secret.ts';
import type { Finding } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import { materialOf } from '../gateway/proxy-tls.ts';

/** Files that are read together, and the key that names them. */
export interface StartFile {
  readonly path: Finding['path'];
  readonly files: readonly string[];
  /**
   * @param warn called with problems that do not prevent a start.
   * @throws {ConfigError} for problems that do.
   */
  readonly read: (warn: (message: string) => void) => unknown;
}

const present = (...files: readonly (string | null | undefined)[]): string[] =>
  files.filter((file) => typeof file === 'string');

/** Each file by itself and then all together, as a machine may have only some of them. */
function authorityFilesOf({ certificates }: Config, now: number): StartFile[] {
  const { authority: own } = certificates;
  const options = { ...certificates, own, now: () => now };
  const { certFile, keyFile, passphraseFile } = authorityFiles(options);
  const at = (key: string): string[] => ['certificates', ...(own === null ? ['dir'] : ['authority', key])];
  const key = present(keyFile, passphraseFile);
  const signs: StartFile['read'] = async (warn) => {
    const authority = await findAuthority(options);
    if (authority === null) return;
    const doubt = doubtLine(authority);
    if (doubt !== null) warn(doubt);
    const fault = validityFault(authority, now);
    if (fault !== null) throw new ConfigError(`${certFile}: ${fault}`);
  };
  return [
    { path: at('key_file'), files: key, read: () => readKey(keyFile, passphraseFile) },
    { path: at('cert_file'), files: [certFile], read: () => readCertificates(certFile) },
    { path: at('cert_file'), files: [certFile, ...key], read: signs },
  ];
}

/** Files of the ports: the token, and certificates of the port over TLS. */
export function portFiles({ admin: { tokenFile }, proxyTls }: Config): StartFile[] {
  const token = { path: ['admin', 'token_file'], files: present(tokenFile), read: () => readToken(tokenFile ?? '') };
  const tls: StartFile[] =
    proxyTls === null
      ? []
      : [
          {
            path: ['listen', 'proxy_tls'],
            files: present(proxyTls.files?.cert, proxyTls.files?.key, proxyTls.clientCaFile, proxyTls.clientCrlFile),
            read: (warn) => materialOf(proxyTls, null, warn),
          },
        ];
  return [token, ...tls].filter(({ files }) => files.length > 0);
}

function outwardFiles({ clients, outbound: { caFile } }: Config): StartFile[] {
  const source = clients.authentication?.source;
  const password = source?.kind === 'ldap' ? source.passwordFile : null;
  return [
    { path: ['outbound', 'ca_file'], files: present(caFile), read: () => trustedRoots(caFile) },
    {
      path: ['clients', 'authentication', 'ldap', 'password_file'],
      files: present(password),
      read: () => readPassword(password ?? '', 'the password of the directory'),
    },
  ].filter(({ files }) => files.length > 0);
}

/** @param now epoch milliseconds. */
export function startFiles(config: Config, now: number): StartFile[] {
  return [...authorityFilesOf(config, now), ...portFiles(config), ...outwardFiles(config)];
}

/** Whether a file exists and this account may read it. */
export function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Examined {
  /** These prevent a start. */
  readonly faults: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** Reads all of them, and reports each problem once. */
export async function examine(all: readonly StartFile[]): Promise<Examined> {
  const faults: Finding[] = [];
  const warnings: Finding[] = [];
  for (const { path, read } of all) {
    try {
      await read((message) => void warnings.push({ path, message }));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { message } = error;
      if (!faults.some((fault) => fault.message === message)) faults.push({ path, message });
    }
  }
  return { faults, warnings };
}
