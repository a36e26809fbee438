/** Whether docs/access-log.md says what is so: its fields, its values and its samples. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createAccessLine } from '../../src/record/access-line.ts';
import { attempt, block, claude, denied, host, monitored, rejected } from './attempts.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/access-log.md', root), 'utf8');
const rows = Array.from(page.matchAll(/^\| (`[a-z@]\S*`(?:, `\S+`)?) +\| (yes| {3})/gm), ([, names = '', always]) => ({
  names: names.replaceAll('`', '').split(', '),
  always: always === 'yes',
}));
const documented = rows.flatMap(({ names }) => names);

/** The dot in these is a part of the name. */
const dotted = ['log.level', 'ecs.version'];

/** `a.b` for each value in an object. */
function fields(value: object, above = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    const name = above + key;
    if (dotted.includes(name) || Array.isArray(inner) || typeof inner !== 'object' || inner === null) return [name];
    return fields(inner, `${name}.`);
  });
}

const line = createAccessLine(null);
const upstream = { address: '192.0.2.1', port: 443 };
const written = [
  line.finished(attempt({ decision: monitored, client: { user: 'jane' }, outcome: { upstream } })),
  line.finished(attempt({ decision: { effect: 'allow', rule: 'r', reason: 'x', exception: 'trial', ech: true } })),
  line.finished(attempt({ question: { serverName: { host: host('a.test'), service: claude } } })),
  line.finished(attempt({ outcome: { kind: 'failed', error: 'policy_changed', endedBy: 'later' } })),
  line.finished(attempt({ kind: 'upgrade', service: null, userAgent: '', outcome: { status: null } })),
  line.finished(attempt({ decision: denied, kind: 'request', host: '192.0.2.1', hostKind: 'ipv4' })),
  line.finished(block({ tunnel: 'aabbccddeeff001122334455' })),
  line.rejected(rejected),
].map((text) => JSON.parse(text) as object);

test('the fields of the page are those that are written', () => {
  expect(documented.toSorted()).toEqual([...new Set(written.flatMap((one) => fields(one)))].toSorted());
});

test('no piece of a line has a name that is in none of these lines', () => {
  const names = ['access-line.ts', 'fragments.ts'].flatMap((file) =>
    Array.from(readFileSync(new URL(`src/record/${file}`, root), 'utf8').matchAll(/"([@\w.]+)":/g), ([, name]) => name),
  );
  // The name of this machine is written where a recorder is given one, and the product gives it none.
  const known = new Set(['host', 'name', ...documented, ...documented.flatMap((name) => name.split('.'))]);
  expect(names.length).toBeGreaterThan(40);
  expect(names.filter((name) => name === undefined || !known.has(name))).toEqual([]);
});

test('the fields that every line is said to have are in every line', () => {
  const always = rows.filter((row) => row.always).flatMap(({ names }) => names);
  expect(always.length).toBeGreaterThan(10);
  for (const one of written) expect(fields(one)).toEqual(expect.arrayContaining(always));
});

test('every word of the code for what came and what was done is explained', () => {
  const code = readFileSync(new URL('src/record/access-line.ts', root), 'utf8');
  const words = (name: string): string[] => {
    const [, list = ''] = new RegExp(`^const ${name} = \\[(.*)\\] as const;$`, 'm').exec(code) ?? [];
    return Array.from(list.matchAll(/'(\w+)'/g), ([, word = '']) => word);
  };
  const actions = Array.from(page.matchAll(/^\| `(\w+)` +\| [^|]*\|$/gm), ([, word]) => word);
  expect(actions).toEqual(words('actions'));
  for (const arrival of words('arrivals')) {
    for (const outcome of words('outcomes')) expect(page).toContain(`\`${arrival}-${outcome}\``);
  }
});

test('the samples are lines, with fields of the page', () => {
  const samples = Array.from(page.matchAll(/```json\n([^]*?)```/g), ([, text = '']) => JSON.parse(text) as object);
  expect(samples).toHaveLength(5);
  for (const sample of samples) expect(documented).toEqual(expect.arrayContaining(fields(sample)));
});
