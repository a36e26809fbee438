/** What the documents name exists: files, npm scripts and anchors. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { read, repository } from './repository.ts';

const documents = ['deploy/README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };

/** Paths that begin in a folder of the repository; globs and placeholders (in capitals) stand for their folder. */
function pathsIn(text: string): string[] {
  const paths = text.matchAll(/(?<![\w./-])(?:deploy|config|scripts|src|\.ci)\/[\w./*-]*/g);
  return [...paths].map(([path]) => path.replace(/(?:[\w.-]*\*|[A-Z]{4,}\b(?!\.md)).*$/, '').replace(/\.$/, ''));
}

describe.each(documents)('%s', (document) => {
  const text = read(document);

  test('names only files that exist', () => {
    expect(pathsIn(text).filter((path) => !existsSync(join(repository, path)))).toEqual([]);
  });

  test('names only npm scripts that exist', () => {
    const named = [...text.matchAll(/npm (?:run )?(start|test|(?<=run )[a-z:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('links lead somewhere', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)/g)];
    for (const [, path = '', anchor] of links) {
      const headings = [...read(join(dirname(document), path)).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
        title.toLowerCase(),
      );
      if (anchor !== undefined) expect(headings.map((title) => title.replaceAll(' ', '-'))).toContain(anchor);
    }
  });
});

test('CONTRIBUTING.md maps every folder of src/', () => {
  const map = read('CONTRIBUTING.md').split('## Where new things go')[0] ?? '';
  const named = [...map.matchAll(/^\| .*`([a-z]+)\/`/gm)].map(([, name]) => name);
  const entries = readdirSync(join(repository, 'src'), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(named.sort()).toEqual(folders.sort());
});

test('CHANGELOG.md begins with what is unreleased', () => {
  expect(/^## .*/m.exec(read('CHANGELOG.md'))?.[0]).toBe('## Unreleased');
});
