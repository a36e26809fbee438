/**
 * The company's certificate authority: created on the first run, or supplied. It signs the leaves for denied tunnels
 * and, if none is configured, the certificate of the proxy port.
 *
 * The key is written first, and the certificate is created for the key that is on disk. So an interrupted start is
 * completed by the next one, and simultaneous first starts end up with the same pair, without a lock that a crash could
 * leave behind.
 */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { elements } from './der.ts';
import { readCertificates, readKey } from './key-files.ts';
import { publish, removeAbandoned } from './publish.ts';
import { strictFaults } from './strict.ts';
import {
  authorityCertificate,
  fieldsOf,
  findExtension,
  generateKey,
  keyId,
  publicKeyInfo,
  type Issuer,
  type KeyType,
} from './x509.ts';

export interface AuthorityOptions {
  /** Folder of `ca.pem` and `ca.key`. */
  readonly dir: string;
  /** Used only to create a CA; an existing one is not changed. */
  readonly keyType: KeyType;
  /** For the subject of a CA that is created. */
  readonly organisation: string;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
  /** A supplied CA; `certFile` may include the CAs above it. */
  readonly own: { readonly certFile: string; readonly keyFile: string; readonly passphraseFile: string | null } | null;
}

export interface Authority extends Issuer {
  /** The signing certificate, PEM. */
  readonly certificate: string;
  /** Certificates to send after a leaf, PEM: the intermediates, beginning with the signing one; empty for a root. */
  readonly chain: string;
  /** The certificate that devices have to trust: the root if it is known, otherwise the topmost CA. */
  readonly anchor: { readonly pem: string; readonly subject: string; readonly fingerprint: string };
  readonly subject: string;
  /** SHA-256 of the signing certificate, as `AA:BB:…`. */
  readonly fingerprint: string;
  /** Epoch milliseconds: the period in which the whole chain is valid. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly certFile: string;
  readonly keyFile: string;
  /** Why strict clients reject its certificates, and what to do about it; null if they accept them. */
  readonly doubt: { readonly says: string; readonly cure: string } | null;
  /** Whether this start created it, found it on disk, or was given it. */
  readonly source: 'made' | 'found' | 'brought';
}

const oneLine = (name: string): string => name.split('\n').join(', ');

/** The subject and its key identifier as encoded in the certificate (RFC 5280, sections 4.1 and 4.2.1.2). */
function issuerParts(certificate: X509Certificate): { subjectDer: Buffer; subjectKeyId: Buffer } {
  // A CA certificate has version 3 and thus a version field, so the subject is the sixth field.
  const subjectDer = fieldsOf(certificate)[5]?.whole ?? Buffer.of();
  const id = elements(findExtension(certificate, 'subjectKeyId')?.value ?? Buffer.of())[0];
  return { subjectDer, subjectKeyId: id?.value ?? keyId(publicKeyInfo(certificate.publicKey)) };
}

const isRoot = (certificate: X509Certificate): boolean =>
  certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);

/** The CA followed by those above it, in any order in the file. */
function chainFrom(signer: X509Certificate, all: readonly X509Certificate[]): X509Certificate[] {
  const chain = [signer];
  for (;;) {
    const last = chain.at(-1) ?? signer;
    const above = all.find((next) => !chain.includes(next) && last.checkIssued(next) && last.verify(next.publicKey));
    if (above === undefined || isRoot(last)) return chain;
    chain.push(above);
  }
}

function doubtOf(certFile: string, chain: readonly X509Certificate[]): Authority['doubt'] {
  for (const certificate of chain) {
    const faults = strictFaults(certificate, isRoot(certificate)).join(', and ');
    if (faults === '') continue;
    return {
      says: `${certFile}: strict clients, such as Python 3.13, refuse ${oneLine(certificate.subject)}: ${faults}`,
      cure: 'make it again with basicConstraints=critical,CA:TRUE, keyUsage=critical,keyCertSign and both key identifiers',
    };
  }
  return null;
}

/** The authority's `doubt` as a line; null if there is none. */
export function doubtLine({ doubt }: Pick<Authority, 'doubt'>): string | null {
  return doubt === null ? null : `${doubt.says}; ${doubt.cure}`;
}

function assemble(
  files: { readonly certFile: string; readonly keyFile: string },
  all: readonly X509Certificate[],
  key: KeyObject,
  source: Authority['source'],
): Authority {
  const { certFile, keyFile } = files;
  const signer = all.find((certificate) => certificate.checkPrivateKey(key));
  if (signer === undefined) {
    throw new ConfigError(
      `${certFile}: no certificate in it belongs to the key in ${keyFile}: put the right pair back`,
    );
  }
  const chain = chainFrom(signer, all);
  const unfit = chain.find((certificate) => !certificate.ca);
  if (unfit !== undefined) {
    const cure = 'it needs basicConstraints CA:TRUE, and keyUsage keyCertSign';
    throw new ConfigError(`${certFile}: ${oneLine(unfit.subject)} is not a certificate authority: ${cure}`);
  }
  const anchor = chain.at(-1) ?? signer;
  return {
    ...issuerParts(signer),
    key,
    certificate: signer.toString(),
    chain: chain
      .filter((certificate) => !isRoot(certificate))
      .map((certificate) => certificate.toString())
      .join(''),
    anchor: { pem: anchor.toString(), subject: oneLine(anchor.subject), fingerprint: anchor.fingerprint256 },
    subject: oneLine(signer.subject),
    fingerprint: signer.fingerprint256,
    notBefore: Math.max(...chain.map((certificate) => Date.parse(certificate.validFrom))),
    notAfter: Math.min(...chain.map((certificate) => Date.parse(certificate.validTo))),
    certFile,
    keyFile,
    doubt: doubtOf(certFile, chain),
    source,
  };
}

const filesOf = (dir: string): { certFile: string; keyFile: string } => ({
  certFile: join(dir, 'ca.pem'),
  keyFile: join(dir, 'ca.key'),
});

/** Where the CA is, or will be created. */
export function authorityFiles({ own, dir }: Pick<AuthorityOptions, 'own' | 'dir'>) {
  return own ?? { ...filesOf(dir), passphraseFile: null };
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/**
 * The existing authority, even an expired one so that it can be shown; null if none has been created yet.
 *
 * @throws {ConfigError} naming the file and what to do.
 */
export async function findAuthority(options: AuthorityOptions): Promise<Authority | null> {
  const { own } = options;
  const files = own ?? filesOf(options.dir);
  const certificates = readCertificates(files.certFile);
  if (certificates === null && own !== null) {
    throw new ConfigError(`${own.certFile}: the certificate of the CA is missing`);
  }
  if (certificates === null) return null;
  if (own === null && !(await exists(files.keyFile))) {
    const cure = `put its key back, or move ${files.certFile} away to have a new CA made`;
    throw new ConfigError(`${files.keyFile}: the CA has a certificate but no key: ${cure}`);
  }
  const key = readKey(files.keyFile, own?.passphraseFile ?? null);
  return assemble(files, certificates, key, own === null ? 'found' : 'brought');
}

async function makeAuthority(options: AuthorityOptions): Promise<Authority> {
  const { certFile, keyFile } = filesOf(options.dir);
  if (!(await exists(keyFile))) {
    const fresh = await generateKey(options.keyType);
    await publish(keyFile, fresh.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  }
  const key = readKey(keyFile, null);
  await publish(certFile, authorityCertificate(key, options.organisation, options.now()), 0o644);
  // Read back, as another process may have created the files first.
  const made = await findAuthority(options);
  if (made === null) throw new ConfigError(`${certFile}: it disappeared while the CA was being made: start again`);
  return { ...made, source: 'made' };
}

const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ');

/** Why the authority cannot sign at `now`; null if it can. */
export function validityFault(authority: Authority, now: number): string | null {
  const cure = authority.source === 'brought' ? 'supply a valid one' : 'move it and its key away to have a new CA made';
  if (now > authority.notAfter) return `the CA expired on ${dateOf(authority.notAfter)} UTC: ${cure}`;
  if (now >= authority.notBefore) return null;
  return `the CA is not valid before ${dateOf(authority.notBefore)} UTC: set the clock of this machine, or ${cure}`;
}

/**
 * The authority to sign with: the supplied one, the existing one, or a new one. Nothing is ever overwritten.
 *
 * @throws {ConfigError} if it cannot be used, naming the file and what to do.
 */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  if (options.own === null) {
    const { certFile, keyFile } = filesOf(options.dir);
    await removeAbandoned([certFile, keyFile], options.now());
  }
  const authority = (await findAuthority(options)) ?? (await makeAuthority(options));
  const fault = validityFault(authority, options.now());
  if (fault !== null) throw new ConfigError(`${authority.certFile}: ${fault}`);
  return authority;
}
