/** A throw-away configuration folder: small, good, and with the files replaced that a test is about. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { InvalidConfig } from '../../src/config/problem.ts';

export const goodVendor = `id: acme
name: Acme
owner: Acme Ltd
country: GB
aliases: [acme-chat]
tags: [maker]
products:
  - id: chat
    name: Acme Chat
    kind: chat
    hosts:
      - { suffix: acme.test, role: app, source: its site, confidence: verified, checked: 2026-07-10 }
`;

export const goodPolicy = `assistants:
  inhouse: { name: In-house, url: https://ai.corp.test/ }
groups:
  staff: { networks: 10.0.0.0/8 }
rules:
  - id: ban
    vendors: acme
    effect: deny
    reason: Because.
`;

const good: Readonly<Record<string, string>> = {
  'sallyport.yaml': 'policy: policy.yaml\n',
  'policy.yaml': goodPolicy,
  'vendors/acme.yaml': goodVendor,
};

export type Files = Readonly<Record<string, string | Uint8Array | null>>;

/** Writes the good files, then those given (null: leave out); runs `use` with the path of sallyport.yaml. */
export function withConfig<T>(files: Files, use: (file: string, dir: string) => T): T {
  const dir = makeConfig(files);
  try {
    return use(join(dir, 'sallyport.yaml'), dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** As {@link withConfig}, but the caller removes the folder, whose path is returned. */
export function makeConfig(files: Files): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-config-')));
  for (const [name, content] of Object.entries({ ...good, ...files })) {
    if (content === null) continue;
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  return dir;
}

/** The issues that the files are refused with, without the folder; empty where they load. */
export function complaints(files: Files): readonly string[] {
  return withConfig(files, (file, dir) => {
    try {
      loadConfig(file);
      return [];
    } catch (error) {
      if (!(error instanceof InvalidConfig)) throw error;
      return error.issues.map((issue) => issue.replaceAll(`${dir}/`, ''));
    }
  });
}

/** The one line that the files are refused with, without the folder; null where they load. */
export function complaint(files: Files): string | null {
  return withConfig(files, (file, dir) => {
    try {
      loadConfig(file);
      return null;
    } catch (error) {
      if (!(error instanceof InvalidConfig)) throw error;
      return error.message.replaceAll(`${dir}/`, '');
    }
  });
}
