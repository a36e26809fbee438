/**
 * Writes the table of docs/security.md from the cases in test/security/: `node scripts/security-table.mjs`. With
 * `--check` it writes nothing, and exits with 1 where the table is not what the tests say, or a case is missing.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';
import prettier from 'prettier';
import ts from 'typescript';

const CASES = 132;
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'test/security');
const page = join(root, 'docs/security.md');
const [begin, end] = ['<!-- cases: begin -->', '<!-- cases: end -->'];

/**
 * @typedef {object} Case
 * @property {number} number
 * @property {string} evasion
 * @property {string} outcome
 * @property {readonly string[]} files From `test/`; none where it is not run.
 */

/**
 * The calls of `attack`, `testedIn` and `cannotRun` in one file: their literals are the rows.
 *
 * @param {string} file
 * @returns {Case[]}
 */
function casesOf(file) {
  const source = ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.Latest, true);
  /** @type {Case[]} */
  const found = [];
  /** @param {ts.Node} node */
  const visit = (node) => {
    const call = ts.isCallExpression(node) ? node.expression.getText() : '';
    if (ts.isCallExpression(node) && ['attack', 'testedIn', 'cannotRun'].includes(call)) {
      const [number = '', evasion = '', outcome = '', ...others] = node.arguments
        .filter((argument) => ts.isNumericLiteral(argument) || ts.isStringLiteralLike(argument))
        .map((argument) => argument.text);
      const files = call === 'testedIn' ? others : call === 'attack' ? [`security/${file}`] : [];
      found.push({ number: Number(number), evasion, outcome, files });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** @returns {Set<number>} */
function starred() {
  const text = readFileSync(join(folder, 'field.ts'), 'utf8');
  const [, numbers = ''] = /starred = new Set\(\[([\d, ]+)\]\)/.exec(text) ?? [];
  return new Set(numbers.split(',').map(Number));
}

/**
 * @param {readonly Case[]} cases
 * @param {ReadonlySet<number>} stars
 */
function table(cases, stars) {
  /** @param {string} text */
  const cell = (text) => text.replaceAll('|', '\\|');
  const rows = cases.map(({ number, evasion, outcome, files }) => {
    const star = stars.has(number) ? ' ★' : '';
    const links = files.map((file) => `[${file.replace(/^security\/|\.test\.ts$/g, '')}](../test/${file})`);
    const tests = links.length === 0 ? 'not run' : links.join(', ');
    return `| ${number}${star} | ${cell(evasion)} | ${cell(outcome)} | ${tests} |`;
  });
  return ['| case | evasion | what happens | test |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap(casesOf)
  .sort((a, b) => a.number - b.number);
const seen = cases.map(({ number }) => number);
const missing = Array.from({ length: CASES }, (_, i) => i + 1).filter((number) => !seen.includes(number));
const twice = seen.filter((number, i) => seen.indexOf(number) !== i);

const text = readFileSync(page, 'utf8');
const made = `${text.slice(0, text.indexOf(begin))}${begin}\n\n${table(cases, starred())}\n\n${text.slice(text.indexOf(end))}`;
const next = await prettier.format(made, { ...(await prettier.resolveConfig(page)), filepath: page });
const check = process.argv.includes('--check');
if (!check) writeFileSync(page, next);
if (missing.length > 0) process.stdout.write(`no test for the cases ${missing.join(', ')}\n`);
if (twice.length > 0) process.stdout.write(`more than one test for the cases ${twice.join(', ')}\n`);
if (check && next !== text)
  process.stdout.write('docs/security.md is not up to date: node scripts/security-table.mjs\n');
process.exitCode = check && (missing.length > 0 || twice.length > 0 || next !== text) ? 1 : 0;
