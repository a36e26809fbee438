/** Settings that a reload cannot change, because they are used only when the proxy starts. */
import type { Config } from '../config/schema.ts';

/** Settings that a reload changes, by path. All others wait for a restart. */
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

/** The key as written in sallyport.yaml. */
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

/** The keys of sallyport.yaml that differ from the running ones and need a restart. */
export function needsRestart(started: Config, now: Config): readonly string[] {
  return differences(started, now, []);
}
