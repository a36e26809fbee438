/**
 * Says which programs that the tests drive are missing, one line each: what is skipped for want of it, and how to get
 * it. Installs nothing and never fails: everything else is still tested.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

/**
 * @typedef {object} Need
 * @property {readonly string[]} programs Any one of them will do.
 * @property {string} skipped
 * @property {string} debian The package that brings it.
 */

/** @type {readonly Need[]} */
const needs = [
  {
    programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    skipped: 'everything that a real browser shows (block page, redirect, pages)',
    debian: 'chromium',
  },
  {
    programs: ['certutil'],
    skipped: 'the browser tests that need the CA in a profile',
    debian: 'libnss3-tools',
  },
  { programs: ['openssl'], skipped: "OpenSSL's opinion of CA and leaf certificates", debian: 'openssl' },
  { programs: ['curl'], skipped: 'what curl shows of answers and tunnels', debian: 'curl' },
  {
    programs: ['promtool'],
    skipped: 'alert rules, their unit tests, the dashboard queries and the metrics format',
    debian: 'prometheus',
  },
  { programs: ['systemd-analyze'], skipped: "systemd's opinion of the unit file", debian: 'systemd' },
  { programs: ['kubectl'], skipped: 'putting the Kubernetes manifests together', debian: 'kubernetes-client' },
  { programs: ['slapd'], skipped: 'passwords that a real directory (LDAP) knows', debian: 'slapd' },
  { programs: ['git'], skipped: 'what is and is not kept under version control', debian: 'git' },
];

/** @param {string} program */
function isInstalled(program) {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

for (const { programs, skipped, debian } of needs) {
  if (programs.some(isInstalled)) continue;
  process.stderr.write(
    `MISSING ${programs[0] ?? ''}: SKIPPED ${skipped}. To run them too: apt-get install --no-install-recommends ${debian}\n`,
  );
}
