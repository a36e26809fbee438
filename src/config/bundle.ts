/**
 * The catalogue in one signed file, which proxies can trust wherever they got it. The Ed25519 signature (RFC 8032)
 * covers the format, the time, and every file with its length.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { invalidConfig } from './problem.ts';
import { readWhole } from '../read-whole.ts';
import { strict } from './scalars.ts';
import { unreadable } from './yaml.ts';

const FORMAT = 'sallyport-catalogue/1';

const schema = strict({
  format: z.literal(FORMAT),
  created: z.iso.datetime(),
  files: z.record(z.string().regex(/^[a-z0-9][a-z0-9._-]*\.yaml$/), z.string()),
  signature: z.string(),
});

export interface Bundle {
  /** When it was created, ISO 8601. */
  readonly created: string;
  /** Names and texts, sorted by name. */
  readonly files: readonly (readonly [name: string, text: string])[];
}

function message({ created, files }: Bundle): Buffer {
  const parts = files.map(([name, text]) => `${name}\n${Buffer.byteLength(text)}\n${text}`);
  return Buffer.from([FORMAT, created, ...parts].join('\n'));
}

function wrong(file: string, message: string): Error {
  return invalidConfig([{ file, position: null, message }]);
}

function readText(file: string): string {
  try {
    return readWhole(file).toString();
  } catch (error) {
    throw invalidConfig([unreadable(file, error)]);
  }
}

function readKey(file: string, make: (pem: string) => KeyObject): KeyObject {
  const pem = readText(file);
  let key: KeyObject;
  try {
    key = make(pem);
  } catch {
    throw wrong(file, 'this is not a key in PEM; make one with "openssl genpkey -algorithm ed25519"');
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw wrong(file, `this is a key of type ${key.asymmetricKeyType ?? 'secret'}; bundles are signed with Ed25519`);
  }
  return key;
}

/** The text of a signed bundle. @throws {InvalidConfig} for an unusable key. */
export function makeBundle(bundle: Bundle, privateKeyFile: string): string {
  const key = readKey(privateKeyFile, createPrivateKey);
  const sorted = { ...bundle, files: bundle.files.toSorted(([a], [b]) => (a < b ? -1 : 1)) };
  const signature = sign(null, message(sorted), key).toString('base64');
  const { created, files } = sorted;
  return `${JSON.stringify({ format: FORMAT, created, files: Object.fromEntries(files), signature }, null, 1)}\n`;
}

/** @throws {InvalidConfig} if it is no bundle, or not signed with the key. */
export function readBundle(file: string, publicKeyFile: string | null): Bundle {
  return parseBundle(file, readText(file), publicKeyFile);
}

/** As {@link readBundle}, for a text that was already read; messages call it `file`. @throws {InvalidConfig} */
export function parseBundle(file: string, text: string, publicKeyFile: string | null): Bundle {
  if (publicKeyFile === null) {
    throw wrong(file, 'a bundle is read only with a key to verify it; name it as "vendors_key" in sallyport.yaml');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw wrong(file, 'this is not a bundle made by "sallyport catalog bundle"; make it again');
  }
  const result = schema.safeParse(value);
  if (!result.success) throw wrong(file, 'this is not a bundle made by "sallyport catalog bundle"; make it again');
  const { created, files, signature } = result.data;
  const bundle = { created, files: Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1)) };
  const key = readKey(publicKeyFile, createPublicKey);
  if (!verify(null, message(bundle), key, Buffer.from(signature, 'base64'))) {
    throw wrong(
      file,
      `the signature is not by the key in ${publicKeyFile}; get the bundle from whoever holds that key`,
    );
  }
  return bundle;
}
