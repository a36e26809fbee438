/**
 * Debian's Chromium behind a proxy, with a home and a profile of its own, so that it trusts just what it is told to.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findProgram(...names: readonly string[]): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const files = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return files.find(isProgram) ?? null;
}

const programs = {
  chromium:
    process.env['CHROMIUM_PATH'] ??
    findProgram('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'),
  certutil: findProgram('certutil'),
};

const absent = Object.entries(programs).flatMap(([name, file]) => (file === null ? [name] : []));

/** Whether there is all that a browser test needs; says so where there is not. */
export const noBrowser = absent.length > 0;
if (noBrowser) {
  console.warn(
    `SKIPPED: everything that a real browser shows; missing: ${absent.join(', ')}.` +
      ' To run it: apt-get install --no-install-recommends chromium libnss3-tools',
  );
}

export interface ChromiumOptions {
  readonly proxyUrl: string;
  /** PEM files of the authorities to trust beside the public ones. */
  readonly trusted: readonly string[];
}

export interface Chromium {
  readonly browser: Browser;
  readonly close: () => Promise<void>;
}

/** Chromium on Linux has no look at the system's certificates: its own are in an NSS database below HOME. */
function trust(certutil: string, home: string, files: readonly string[]): void {
  const database = join(home, '.pki', 'nssdb');
  mkdirSync(database, { recursive: true });
  const run = (...args: readonly string[]): void => {
    execFileSync(certutil, [...args, '-d', `sql:${database}`], { stdio: 'pipe' });
  };
  run('-N', '--empty-password');
  files.forEach((file, index) => run('-A', '-t', 'C,,', '-n', `authority-${index}`, '-i', file));
}

/**
 * The proxy is given on the command line, not by playwright's own option, which would send loopback addresses through
 * it too: a person's browser does not.
 */
export async function launchChromium({ proxyUrl, trusted }: ChromiumOptions): Promise<Chromium> {
  const { chromium: executablePath, certutil } = programs;
  if (executablePath === null || certutil === null) throw new Error(`not installed: ${absent.join(', ')}`);
  const home = mkdtempSync(join(tmpdir(), 'chromium-home-'));
  const remove = (): void => rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  try {
    trust(certutil, home, trusted);
    const browser = await chromium.launch({
      executablePath,
      chromiumSandbox: false,
      env: { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home, LANG: 'C.UTF-8' },
      args: [
        `--proxy-server=${proxyUrl}`,
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    return {
      browser,
      async close() {
        await browser.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
