/** A proxy whose answers say what arrived, and what it is asked. */
import type { ServerResponse } from 'node:http';
import { expect } from 'vitest';
import type { RequestArrival } from '../../src/flow.ts';
import { startWired, type Settings, type Wired } from './wiring.ts';

export const get = (path: string, more = ''): string =>
  `GET http://ok.test${path} HTTP/1.1\r\nHost: ok.test\r\n${more}\r\n`;

/** A proxy that answers every request itself with its method and path, as soon as the body was read. */
export async function startEcho(settings: Settings = {}): Promise<Wired> {
  return startWired({
    ...settings,
    arrived: (arrival) => {
      if ('res' in arrival) echo(arrival);
      else if ('early' in arrival)
        arrival.socket.end(`${arrival.kind} ${arrival.target.host}:${arrival.target.port} ${arrival.early.toString()}`);
    },
  });
}

export function echo({ req, res, facts }: RequestArrival): void {
  let body = '';
  req.on('data', (chunk: Buffer) => (body += chunk.toString()));
  req.on('end', () => res.end(`<${facts.method} ${facts.path} ${body}>`));
}

/** A proxy that leaves the first request for the test to answer, and answers all others itself. */
export async function startLate(): Promise<Wired & { readonly first: () => ServerResponse }> {
  let res: ServerResponse | null = null;
  const wired = await startWired({
    arrived: (arrival) => {
      if (arrival.kind !== 'request')
        arrival.socket.end(`${arrival.kind} ${arrival.target.host} ${arrival.early.toString()}`);
      else if (!('res' in arrival)) throw new Error('not inside TLS');
      else if (res === null) res = arrival.res as ServerResponse;
      else echo(arrival);
    },
  });
  return { ...wired, first: () => res ?? expect.fail('nothing has arrived') };
}
