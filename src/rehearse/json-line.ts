/** Reads JSON lines in the Elastic Common Schema: our own access log, and other logs as converted by log shippers. */
import { bad, challenge, noRequest } from './line.ts';
import type { Line } from './line.ts';

/** The value at a dotted name, which may be written as nested objects or as a single key. */
function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name];
  const dot = name.indexOf('.');
  return dot === -1 ? undefined : field((value as Record<string, unknown>)[name.slice(0, dot)], name.slice(dot + 1));
}

function text(value: unknown, ...names: readonly string[]): string | null {
  for (const name of names) {
    const found = field(value, name);
    if (typeof found === 'string' && found !== '') return found;
  }
  return null;
}

function authority(host: string, port: unknown): string {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return typeof port === 'number' ? `${bracketed}:${port}` : bracketed;
}

/** The target as the other log formats write it; null if the line has none. */
function urlOf(line: unknown, method: string): string | null {
  const whole = text(line, 'url.full', 'url.original');
  const host = text(line, 'url.domain', 'destination.domain', 'destination.address', 'destination.ip');
  if (host === null) return whole;
  const port = field(line, 'url.port') ?? field(line, 'destination.port');
  if (method === 'CONNECT') return authority(host, port ?? 443);
  return `${text(line, 'url.scheme') ?? 'http'}://${authority(host, port)}${text(line, 'url.path') ?? '/'}`;
}

export function readJsonLine(written: string): Line {
  let line: unknown;
  try {
    line = JSON.parse(written);
  } catch {
    return bad('not JSON');
  }
  if (typeof line !== 'object' || line === null) return bad('not a JSON object');
  const dataset = text(line, 'event.dataset');
  if (dataset !== null && dataset.startsWith('sallyport.') && dataset !== 'sallyport.access') return noRequest;
  const at = Date.parse(text(line, '@timestamp', 'event.start') ?? '');
  if (Number.isNaN(at)) return bad('no time in "@timestamp"');
  if (text(line, 'event.action') === 'arrival-rejected') return noRequest;
  if (field(line, 'http.response.status_code') === 407) return challenge;
  const method = text(line, 'http.request.method')?.toUpperCase() ?? 'CONNECT';
  const url = urlOf(line, method);
  if (url === null) return bad('no host in "url.domain", "url.full" or "destination.domain"');
  const client = text(line, 'client.ip', 'source.ip', 'client.address', 'source.address');
  if (client === null) return bad('no client in "client.ip" or "source.ip"');
  return {
    kind: 'attempt',
    at,
    client,
    user: text(line, 'user.name', 'client.user.name', 'source.user.name'),
    method,
    url,
    serverName: text(line, 'tls.client.server_name'),
    ...(field(line, 'sallyport.ech') === true && { ech: true }),
    id: text(line, 'event.id'),
    tunnel: text(line, 'sallyport.tunnel'),
  };
}
