/**
 * Leaves what the vendor files say beside the build, so that a start does not parse hundreds of them. Nobody depends on
 * it: where it is missing, or a vendor file is another than it was, the file itself is read.
 */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'config', 'vendors');

/**
 * @typedef {object} Build
 * @property {typeof import('../src/config/vendors.ts').readVendors} readVendors
 * @property {typeof import('../src/config/catalogue.ts').checkVendors} checkVendors
 * @property {typeof import('../src/config/known-vendors.ts').compiledText} compiledText
 * @property {typeof import('../src/config/known-vendors.ts').compiledFile} compiledFile
 */
const modules = ['vendors', 'catalogue', 'known-vendors'];
/** @type {unknown[]} */
const loaded = await Promise.all(
  modules.map((name) => import(new URL(`../dist/config/${name}.js`, import.meta.url).href)),
);
/** @type {unknown} */
const build = Object.assign({}, ...loaded);
const { readVendors, checkVendors, compiledText, compiledFile } = /** @type {Build} */ (build);

rmSync(compiledFile, { force: true });
if (existsSync(folder)) {
  try {
    const vendors = readVendors(folder, null);
    if (checkVendors(vendors).length === 0) {
      const written = `${compiledFile}.${process.pid}`;
      writeFileSync(written, compiledText(vendors.map(({ text, vendor }) => ({ ...text, vendor }))));
      // Whole or not at all, also for a program that starts meanwhile.
      renameSync(written, compiledFile);
    }
  } catch (error) {
    // What is wrong in a vendor file is told by the program itself, with the line.
    if (!(error instanceof Error) || error.name !== 'ConfigError') throw error;
  }
}
