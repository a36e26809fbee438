/** Reads revocation lists for client certificates (RFC 5280, section 5). */
import { elements } from '../certificates/der.ts';
import { readNamedFile } from '../config/named-file.ts';
import { ConfigError } from '../errors.ts';

export interface Revocations {
  /** Each in PEM form: Node.js reads only the first of a text. */
  readonly pems: readonly string[];
  /** When the first of them expires, epoch milliseconds; Infinity if none says. */
  readonly until: number;
}

const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/** UTCTime has a year of two digits, from 1950 on (RFC 5280, section 4.1.2.5.1). */
function momentOf(tag: number, text: string): number {
  const long = tag === GENERALIZED_TIME ? text : `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}`;
  return Date.parse(long.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

/** The nextUpdate of a list: the second time in its body. */
function untilOf(pem: string): number {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  const [list] = elements(der);
  const [body] = list === undefined ? [] : elements(list.value);
  const times = body === undefined ? [] : elements(body.value);
  const next = times.filter(({ tag }) => tag === UTC_TIME || tag === GENERALIZED_TIME)[1];
  return next === undefined ? Infinity : momentOf(next.tag, next.value.toString('latin1'));
}

/** @throws {ConfigError} if the file holds no such list, or one that cannot be read. */
export function readRevocations(file: string): Revocations {
  const key = 'listen.proxy_tls.client_crl_file';
  const cure = `correct ${key}`;
  const text = readNamedFile(file, key).toString();
  const pems = text.match(/-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----\n?/g) ?? [];
  if (pems.length === 0)
    throw new ConfigError(`${file}: contains no list of revoked certificates in PEM form; ${cure}`);
  try {
    return { pems, until: Math.min(...pems.map(untilOf)) };
  } catch {
    throw new ConfigError(`${file}: it contains a damaged list of revoked certificates; ${cure}`);
  }
}
