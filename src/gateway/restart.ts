/** What a reload cannot change: it is set up once, when the proxy starts. */
import type { Config } from '../config/schema.ts';

/** What follows a reload, by path. All else that differs from what the proxy was started with waits for a restart. */
const follows = new Set([
  'file',
  'policyFile',
  'policy',
  'policyOfFile',
  'exceptionsFile',
  'stored',
  'policyHash',
  'files',
  'vendors',
  'catalogue',
  'catalogueFrom',
  'clients',
  'pages',
  'proxyProtocol',
  'proxyTls.files',
  'proxyTls.pac',
  'proxyTls.serverNames',
  'proxyTls.clientCaFile',
  'proxyTls.clientCrlFile',
  'reload',
  'limits.clientConnections',
]);

/** As it is written in sallyport.yaml. */
function written(path: readonly string[]): string {
  const place = path[0] === 'proxyTls' ? ['listen', ...path] : path;
  return place.join('.').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function differences(before: unknown, after: unknown, path: readonly string[]): string[] {
  if (before === after || follows.has(path.join('.'))) return [];
  if (path.length >= 2 || !isGroup(before) || !isGroup(after))
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [written(path)];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], [...path, key]));
}

/** The keys of sallyport.yaml that say something else than when the proxy was started, and need a restart to act. */
export function needsRestart(started: Config, now: Config): readonly string[] {
  return differences(started, now, []);
}
