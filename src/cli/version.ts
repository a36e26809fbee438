/** The version of this release. */
import { readFileSync } from 'node:fs';

interface Manifest {
  readonly version: string;
}

/** From package.json. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as Manifest).version;
}
