/** Reads the files of an authority. Errors say in one line why a file cannot be used. */
import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto';
import { platform } from 'node:os';
import { ConfigError } from '../errors.ts';
import { readWhole } from '../read-whole.ts';

/** False on Windows, which protects files by access lists; the permission bits that Node reports there are made up. */
export const hasPermissionBits = platform() !== 'win32';

/** The system's error code, such as `ENOENT`, for messages. */
export function systemCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}

const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** Why a key cannot sign here; null if it can. */
function keyFault(key: KeyObject): string | null {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  if (type === 'rsa') {
    return modulusLength >= 2048 ? null : `is an RSA key of ${modulusLength} bits, which clients refuse`;
  }
  if (type !== 'ec') return `has the type ${String(type)}, which many clients cannot verify`;
  return curves.has(namedCurve) ? null : `is on the curve ${namedCurve}, which clients refuse`;
}

/**
 * The text of a file that only its owner may read; `what` names it in messages.
 *
 * @throws {ConfigError} if it cannot be read, or if group or others have access.
 */
export function readGuarded(file: string, what: string): string {
  try {
    return readWhole(file, ({ mode }) => {
      if (!hasPermissionBits || (mode & 0o077) === 0) return;
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      throw new ConfigError(`${file}: others can use ${what} (mode ${octal}): run "chmod 600 ${file}"`);
    }).toString();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(
      `${file}: ${what} cannot be read (${systemCode(error)}); create it, or correct the path or its owner`,
    );
  }
}

/** Editors and `echo` append a line break, which is not part of the secret. */
function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** The password in such a file. @throws {ConfigError} as {@link readGuarded}. */
export function readPassword(file: string, what: string): string {
  return withoutLineBreak(readGuarded(file, what));
}

function readPassphrase(file: string): string {
  let text: string;
  try {
    text = readWhole(file).toString();
  } catch (error) {
    throw new ConfigError(
      `${file}: the passphrase of the CA key cannot be read (${systemCode(error)}); correct certificates.authority.passphrase_file`,
    );
  }
  return withoutLineBreak(text);
}

function decodeKey(file: string, pem: string, passphraseFile: string | null, passphrase: string | null): KeyObject {
  try {
    return createPrivateKey(passphrase === null ? pem : { key: pem, passphrase });
  } catch (error) {
    const code = systemCode(error);
    if (passphrase === null && /ENCRYPTED/.test(pem)) {
      throw new ConfigError(
        `${file}: the key of the CA is encrypted: set certificates.authority.passphrase_file to the file with its passphrase`,
      );
    }
    // The error code does not tell a wrong passphrase, which sometimes decrypts to something that is not a key.
    if (passphraseFile !== null && /ENCRYPTED/.test(pem)) {
      throw new ConfigError(`${file}: the passphrase in ${passphraseFile} does not open the key of the CA`);
    }
    const cure = 'convert it with "openssl pkcs8 -topk8", or put the right file back';
    throw new ConfigError(`${file}: this is not a readable private key in PEM form (${code}): ${cure}`);
  }
}

/**
 * The private key in `file`: PEM, PKCS#8 or traditional, encrypted if there is a passphrase file.
 *
 * @throws {ConfigError} if group or others have access, or if the key cannot sign for today's clients.
 */
export function readKey(file: string, passphraseFile: string | null): KeyObject {
  const pem = readGuarded(file, 'the key of the CA');
  const passphrase = passphraseFile === null ? null : readPassphrase(passphraseFile);
  const key = decodeKey(file, pem, passphraseFile, passphrase);
  const fault = keyFault(key);
  if (fault !== null) throw new ConfigError(`${file}: the key of the CA ${fault}: use ECDSA P-256 or RSA 2048`);
  return key;
}

/** The certificates in `file`, PEM, in file order; null if there is no such file. */
export function readCertificates(file: string): X509Certificate[] | null {
  let text: string;
  try {
    text = readWhole(file).toString();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw new ConfigError(`${file}: the certificate of the CA cannot be read (${systemCode(error)})`);
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    throw new ConfigError(`${file}: it contains no certificate in PEM form: put the right file back, or convert it`);
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new ConfigError(`${file}: its certificate ${index + 1} is damaged: put the right file back`);
    }
  });
}
