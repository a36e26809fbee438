/** The system's hosts file. It takes precedence over DNS, and is reread when it changes. */
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { platform } from 'node:os';

/** Returns the addresses of a name, or null if it is not in the file. */
export type HostsFile = (name: string) => Promise<readonly string[] | null>;

export function hostsFilePath(): string {
  return platform() === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts';
}

/** Parses lines of an address and its names, with comments after `#`. */
export function readHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase().replace(/\.$/, '');
      const known = hosts.get(key);
      if (known === undefined) hosts.set(key, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return hosts;
}

/** A missing file counts as empty. */
export function createHostsFile(path: string): HostsFile {
  let hosts: ReadonlyMap<string, readonly string[]> = new Map();
  let state = '';
  return async (name) => {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const now = `${mtimeMs} ${size} ${ino}`;
      if (now !== state) {
        hosts = readHosts(await readFile(path, 'utf8'));
        state = now;
      }
    } catch {
      hosts = new Map();
      state = '';
    }
    return hosts.get(name) ?? null;
  };
}
