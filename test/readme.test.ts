import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errors } from '../src/errors.ts';
import { repository } from './support/lab.ts';

const readme = readFileSync(join(repository, 'README.md'), 'utf8');

describe('the README', () => {
  test('lists every failure with its status and whose turn it is, and no other', () => {
    const rows = [...readme.matchAll(/^\| `(\w+)`\s*\| (\d+)\s*\| (\w+)\s*\| (.+?)\s*\|$/gm)];
    const listed = rows.map(([, code, status, fault, text]) => [code, { status: Number(status), fault, text }]);
    const catalogue = Object.entries(errors).map(([code, { status, fault, text }]) => [code, { status, fault, text }]);
    expect(listed).toEqual(catalogue);
  });

  test('links only to files that are there', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(4);
    expect(links.filter((link) => !existsSync(join(repository, link)))).toEqual([]);
  });
});
