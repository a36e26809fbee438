/** Calls the admin port of the running proxy, with the token of the same configuration. */
import { request } from 'node:http';
import { readToken } from '../certificates/secret.ts';
import { callableHost, formatAddress } from '../config/network.ts';
import type { Config } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';

export interface ApiAnswer {
  readonly status: number;
  /** The parsed JSON. */
  readonly body: unknown;
}

/** Milliseconds without a byte. */
const TIMEOUT = 30_000;

/**
 * Calls the API of the proxy that runs with a configuration.
 *
 * @param path below `/api/`.
 * @throws {ConfigError} if there is no answer, or none in JSON.
 */
export async function callApi(
  config: Pick<Config, 'listen' | 'admin'>,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<ApiAnswer> {
  const { host, port } = config.listen.admin;
  const { tokenFile } = config.admin;
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(tokenFile !== null && { Authorization: `Bearer ${readToken(tokenFile)}` }),
    ...(payload !== undefined && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) }),
  };
  const place = `the admin port ${formatAddress({ host, port })}`;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: callableHost(host), port, method, path: `/api/${path}`, headers, agent: false });
    outgoing.setTimeout(TIMEOUT, () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const why = error.code ?? error.message;
      reject(new ConfigError(`${place} does not answer (${why}); is the proxy running with this configuration?`));
    });
    outgoing.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('error', (error) => outgoing.destroy(error));
      answer.on('end', () => {
        try {
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as unknown });
        } catch {
          reject(new ConfigError(`what answers at ${place} is not this proxy; correct listen.admin`));
        }
      });
    });
    outgoing.end(payload);
  });
}

/** Why the answer is 401: the proxy knows only the header, and this side where the token came from. */
function wrongToken(tokenFile: string | null): string {
  if (tokenFile === null)
    return 'the running proxy requires a token, but this configuration names none; set admin.token_file to the file that the proxy uses';
  return `${tokenFile}: its token is not the one that the running proxy uses; correct admin.token_file, or restart the proxy if the file has changed since it started`;
}

/** The reason in a negative answer. */
export function reasonOf({ status, body }: ApiAnswer, { tokenFile }: Pick<Config['admin'], 'tokenFile'>): string {
  if (status === 401) return wrongToken(tokenFile);
  const facts = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  const reason = facts['problem'] ?? facts['error'];
  return typeof reason === 'string' ? reason : `status ${status}`;
}
