/** Compiles the station for child processes: Node 20 does not run TypeScript by itself. */
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../..');

/** The compiled `src/certificates/authority.js`, below `dir`. */
export function compileAuthority(dir: string): string {
  const station = readdirSync(join(root, 'src/certificates')).map((name) => join('certificates', name));
  for (const name of [...station, 'errors.ts', 'ip.ts', 'read-whole.ts']) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, 'src', name), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    const file = join(dir, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, outputText);
  }
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  return join(dir, 'certificates/authority.js');
}
