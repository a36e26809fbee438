/**
 * Holds the shape of `src/`: which room may import which, where each package lives, how long a file may be, and which
 * test covers it. A room is a folder of `src/`, or a file beside them.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { coveredBy } from './support/covered-by.ts';
import { sources, uncovered, violations } from './support/architecture.ts';
import type { Rule } from './support/architecture.ts';

/** The table. A room that is not in it is a mistake. */
const rooms: Readonly<Record<string, Rule>> = {
  errors: { may: [], pure: true },
  terms: { may: [], pure: true },
  policy: { may: [], types: ['terms'], pure: true },
  reset: { may: [] },
  'read-into': { may: [] },
  reading: { may: ['read-into'] },
  accumulator: { may: [] },
  'join-pieces': { may: ['accumulator'] },
  'broken-request': { may: [], types: ['errors'] },
  'indexed-set': { may: [], pure: true },
  'in-one-piece': { may: [] },
  ip: { may: [], pure: true },
  'read-whole': { may: [] },
  'user-name': { may: [], pure: true },
  flow: { may: [], types: ['errors', 'policy', 'terms'] },
  config: { may: ['flow', 'errors', 'ip', 'read-whole', 'user-name', 'listen/target.ts'] },
  decide: { may: [], types: ['flow'], pure: true },
  identify: { may: ['flow', 'in-one-piece', 'ip', 'user-name'] },
  listen: {
    may: [
      'flow',
      'errors',
      'accumulator',
      'join-pieces',
      'broken-request',
      'reset',
      'indexed-set',
      'reading',
      'in-one-piece',
      'ip',
    ],
  },
  certificates: { may: ['flow', 'errors', 'ip', 'read-whole'] },
  answers: { may: ['flow', 'errors'] },
  act: {
    may: ['flow', 'errors', 'join-pieces', 'broken-request', 'reset', 'indexed-set', 'reading', 'read-into', 'ip'],
  },
  record: { may: ['flow', 'errors', 'in-one-piece', 'ip'] },
  admin: { may: ['flow', 'errors', 'answers', 'ip'] },
  lifecycle: { may: ['flow', 'errors'] },
  rehearse: { may: ['flow', 'errors', 'in-one-piece', 'decide', 'identify', 'listen/target.ts'] },
  gateway: { may: ['*'], not: ['cli', 'main', 'workers'] },
  workers: { may: ['*'], not: ['cli', 'main'] },
  cli: { may: ['*'], not: ['main'] },
  main: { may: ['cli', 'errors'] },
};

/** Where each package may be used. Any other package is a mistake. */
const homes: Readonly<Record<string, readonly string[]>> = {
  'node-forge': ['certificates'],
  fastify: ['admin'],
  'prom-client': ['record'],
  'http-proxy': ['act'],
  zod: ['config'],
  yaml: ['config'],
  tldts: ['config'],
  'lru-cache': ['certificates', 'identify', 'act', 'listen'],
  'hash-wasm': ['identify'],
  ldapts: ['identify'],
};

const project = dirname(import.meta.dirname);

test('src keeps to the table', () => {
  expect(sources(join(project, 'src')).length).toBeGreaterThan(50);
  expect(violations(join(project, 'src'), { rooms, homes })).toEqual([]);
});

test('every file has its test', () => {
  expect(uncovered(project, coveredBy)).toEqual([]);
});

let planted = '';
afterEach(() => rmSync(planted, { recursive: true, force: true }));

/** A project with these files; their folders are made. */
function plant(files: Readonly<Record<string, string>>): string {
  planted = mkdtempSync(join(tmpdir(), 'sallyport-architecture-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(planted, name)), { recursive: true });
    writeFileSync(join(planted, name), text);
  }
  return planted;
}

test('a tree that keeps to the table passes', () => {
  const files = {
    'src/errors.ts': 'export const errors = {};',
    'src/flow.ts': "import type { Socket } from 'node:net'; import type { errors } from './errors.ts';",
    'src/decide/a.ts': "import type { A } from '../flow.ts'; import { b } from './b/c.ts';",
    'src/config/a.ts': "import { z } from 'zod'; import { parseHost } from '../listen/target.ts';",
    'src/admin/a.ts': "import { type B } from '../flow.ts'; import fastify from 'fastify'; import '../answers/a.ts';",
    'src/gateway.ts': "import { a } from './act/a.ts'; export { b } from './lifecycle.ts';",
    'src/cli/a.ts': "const g = await import('../gateway.ts');",
    'src/main.ts': "import { a } from './cli/a.ts';",
  };
  expect(violations(join(plant(files), 'src'), { rooms, homes })).toEqual([]);
});

test.each([
  ['act/a.ts', 'imports record/a.ts', "import { a } from '../record/a.ts';"],
  ['act/a.ts', 'imports record/a.ts', "import type { A } from '../record/a.ts';"],
  ['act/a.ts', 'imports record/a.ts', "import '../record/a.ts';"],
  ['act/a.ts', 'imports record/a.ts', "export { a } from '../record/a.ts';"],
  ['act/a.ts', 'imports record/a.ts', "export * from '../record/a.ts';"],
  ['act/deep/a.ts', 'imports record/a.ts', "const a = () => import('../../record/a.ts');"],
  ['act/a.ts', 'imports record/a.ts', 'const a = () => import(`../record/a.ts`);'],
  ['act/a.ts', 'imports a name that is computed', 'const a = (n: string) => import(`../${n}.ts`);'],
  ['act/a.ts', 'imports record/a.ts', "let a: import('../record/a.ts').A;"],
  ['act/a.ts', 'imports record/a.ts', "import a = require('../record/a.ts');"],
  ['act/a.ts', 'imports "node:module"', "import { createRequire } from 'node:module';"],
  ['act/a.ts', 'imports decide/b.ts', "import { b } from '../act/../decide/b.ts';"],
  ['act/a.ts', 'imports ../test/a.ts, which is outside of src', "import { a } from '../../test/a.ts';"],
  ['decide/a.ts', 'imports "node:fs", but is pure', "import { readFileSync } from 'node:fs';"],
  ['decide/a.ts', 'imports "net", but is pure', "import type { Socket } from 'net';"],
  ['decide/a.ts', 'imports "lru-cache", but is pure', "import { LRUCache } from 'lru-cache';"],
  ['decide/a.ts', 'imports errors.ts', "import { errors } from '../errors.ts';"],
  ['decide/a.ts', 'imports more than types from flow', "import { type A, b } from '../flow.ts';"],
  ['flow.ts', 'imports more than types from errors', "import { errors } from './errors.ts';"],
  ['errors.ts', 'imports flow.ts', "import type { A } from './flow.ts';"],
  ['config/a.ts', 'imports listen/http.ts', "import { a } from '../listen/http.ts';"],
  ['identify/a.ts', 'imports decide/match.ts', "import { indexHosts } from '../decide/match.ts';"],
  ['lifecycle.ts', 'imports decide/decide.ts', "import { decide } from './decide/decide.ts';"],
  ['gateway.ts', 'imports cli/serve.ts', "import { serve } from './cli/serve.ts';"],
  ['cli/a.ts', 'imports main.ts', "import '../main.ts';"],
  ['main.ts', 'imports gateway.ts', "import { a } from './gateway.ts';"],
  ['answers/a.ts', 'imports "node-forge", whose home is certificates', "import forge from 'node-forge';"],
  ['act/a.ts', 'imports "zod", whose home is config', "import { z } from 'zod/v4';"],
  ['act/a.ts', 'imports the package "@scope/name", which has no home', "import x from '@scope/name/deep';"],
  ['act/a.ts', 'imports the package "undici", which has no home', "import x from 'undici';"],
  ['utils/a.ts', 'the room "utils" is not in the table', ''],
  ['proxy.ts', 'the room "proxy" is not in the table', ''],
  ['constructor/a.ts', 'the room "constructor" is not in the table', ''],
  ['act/a.ts', 'has 301 lines, and 300 is the limit', '// \n'.repeat(301)],
])('finds in %s: %s', (file, fault, text) => {
  expect(violations(join(plant({ [`src/${file}`]: text }), 'src'), { rooms, homes })).toEqual([`${file}: ${fault}`]);
});

test('300 lines are allowed', () => {
  expect(violations(join(plant({ 'src/act/a.ts': '// \n'.repeat(300) }), 'src'), { rooms, homes })).toEqual([]);
});

test('finds files without a test, and a list that is out of date', () => {
  const files = [
    'src/act/a.ts',
    'test/act/a.test.ts',
    'src/act/b.ts',
    'src/act/c.ts',
    'test/flows/c.test.ts',
    'src/flow.ts',
  ];
  const root = plant(Object.fromEntries(files.map((file) => [file, ''])));
  const listed = { 'act/c.ts': 'test/flows/c.test.ts', 'flow.ts': null };
  expect(uncovered(root, listed)).toEqual([
    'act/b.ts: has no test; write test/act/b.test.ts, or list the one that covers it',
  ]);
  const stale = { ...listed, 'act/a.ts': null, 'act/b.ts': 'test/flows/b.test.ts', 'act/d.ts': null };
  expect(uncovered(root, stale)).toEqual([
    'act/a.ts: is listed and has a test of its own',
    'act/b.ts: is covered by test/flows/b.test.ts, which does not exist',
    'act/d.ts: is listed and does not exist',
  ]);
});
