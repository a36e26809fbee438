/** Where the files under test are, and how they are read. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

export function read(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

/** The one document of a YAML file. A key given twice, or any other slip, is an error. */
export function readYaml(path: string): unknown {
  const documents = parseAllDocuments(read(path), { strict: true, uniqueKeys: true });
  const [document] = documents;
  if (document === undefined || documents.length !== 1) throw new Error(`${path}: not exactly one YAML document`);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);
  return document.toJS();
}

/** Whether a program is installed. Tests that need one that is not are skipped; `npm test` says so first. */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program]).status === 0;
}

/** Runs a program in the repository; `output` is everything that it wrote. */
export function runTool(program: string, ...args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: repository, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}
