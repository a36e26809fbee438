/**
 * What a whole run needs of the shipped catalogue once, where each test file would parse its 1,500 files, and each
 * field of the attacks copy them.
 */
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { checkVendors } from '../../src/config/catalogue.ts';
import { compiledFile, compiledText } from '../../src/config/known-vendors.ts';
import { readVendors } from '../../src/config/vendors.ts';
import { ConfigError } from '../../src/errors.ts';

const shipped = fileURLToPath(new URL('../../config/vendors', import.meta.url));

/** The vendor that attacks are tried on. */
const acme = `
id: acme
name: Acme AI
products:
  - id: acme-chat
    name: Acme Chat
    kind: chat
    addresses: [{ blocks: 203.0.113.64/28, source: the tests, confidence: own-knowledge }]
    hosts:
      - { suffix: deny.test, role: app, source: the tests, confidence: own-knowledge }
`;

declare module 'vitest' {
  interface ProvidedContext {
    /** The shipped catalogue, and Acme. For reading only. */
    readonly vendorsAndAcme: string;
  }
}

/** Leaves for the sources what the build leaves for itself. Who finds other sources or other files does not use it. */
function compile(): void {
  rmSync(compiledFile, { force: true });
  let vendors: ReturnType<typeof readVendors>;
  try {
    vendors = readVendors(shipped, null);
  } catch (error) {
    // What is wrong with them is for the tests to tell.
    if (error instanceof ConfigError) return;
    throw error;
  }
  if (checkVendors(vendors).length > 0) return;
  const written = `${compiledFile}.${process.pid}`;
  writeFileSync(written, compiledText(vendors.map(({ text, vendor }) => ({ ...text, vendor }))));
  renameSync(written, compiledFile);
}

export default function setup(project: TestProject): () => void {
  compile();
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-vendors-'));
  cpSync(shipped, dir, { recursive: true });
  writeFileSync(join(dir, 'acme.yaml'), acme);
  project.provide('vendorsAndAcme', dir);
  return () => {
    for (const path of [dir, compiledFile]) rmSync(path, { recursive: true, force: true });
  };
}
