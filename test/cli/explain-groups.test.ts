/** Whose groups explain asks as: those of an address, of a user, and those that a trusted proxy names. */
import { rmSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { explain } from '../../src/cli/explain.ts';
import { makeConfig, type Files } from '../config/folder.ts';

async function run(args: readonly string[]): Promise<{ readonly out: readonly string[] }> {
  const out: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => out.push(line), env: {}, cwd: '.' };
  await explain.run(args, io);
  return { out };
}

test('knows the groups of a user', async () => {
  const file = makeConfig({
    'policy.yaml': `
groups: { research: { users: ada } }
rules:
  - { id: ban, vendors: acme, effect: deny, reason: No. }
  - { id: ada, vendors: acme, groups: research, effect: allow, reason: Yes. }
`,
  });
  onTestFinished(() => rmSync(file, { recursive: true, force: true }));
  const { out } = await run(['-c', `${file}/sallyport.yaml`, 'acme.test', '--user', 'ada', '--json']);
  expect(JSON.parse(out.join('\n'))).toMatchObject({ rule: 'ada', groups: ['research'] });
});

test('knows the groups that a trusted proxy names, and doubts what none would', async () => {
  const policy = `
groups: { design: { forwarded: [Chip Design, Chips] }, own: { networks: 10.0.0.0/8 } }
rules:
  - { id: ban, vendors: acme, effect: deny, reason: No. }
  - { id: chips, vendors: acme, groups: design, effect: allow, reason: Yes. }
`;
  const settings = 'policy: policy.yaml\nclients: { groups_field: { name: X-Groups, trusted: [10.0.0.5] } }\n';
  const asked = async (files: Files, ...args: readonly string[]) => {
    const folder = makeConfig({ 'policy.yaml': policy, ...files });
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return (await run(['-c', `${folder}/sallyport.yaml`, 'acme.test', '--client', '10.0.0.5', ...args])).out;
  };
  const good = await asked({ 'sallyport.yaml': settings }, '--forwarded', 'Guests-not , Chip Design', '--json');
  expect(good[0]).toBe('warning: no group of the policy has "Guests-not" as "forwarded"; known: Chip Design, Chips');
  expect(JSON.parse(good.slice(1).join('\n'))).toMatchObject({
    rule: 'chips',
    client: { address: '10.0.0.5', user: null, forwarded: ['Guests-not', 'Chip Design'] },
    groups: ['own', 'design'],
  });
  const twice = await asked({ 'sallyport.yaml': settings }, '--forwarded', 'Chips', '--forwarded', 'Chip Design');
  expect(twice).toContain('  client     10.0.0.5, forwarded as Chips and Chip Design, in own, design');
  const other = await asked({ 'sallyport.yaml': settings }, '--forwarded', 'CHIPS');
  expect(other[0]).not.toContain('warning');
  expect(other).toContain('  client     10.0.0.5, forwarded as CHIPS, in own, design');
  expect((await asked({}, '--forwarded', 'Chips'))[0]).toMatch(
    /^warning: clients\.groups_field is not in \S+sallyport\.yaml: a running proxy accepts group names from nobody; set it$/,
  );
});

const groups = `
groups: { research: { networks: 10.30.0.0/16 }, dn: { forwarded: 'cn=chips,ou=groups' } }
sites: { eu: { networks: 10.40.0.0/16 } }
rules:
  - { id: ban, vendors: acme, effect: deny, reason: No. }
  - { id: both, vendors: acme, groups: research, sites: eu, effect: allow, reason: Yes. }
`;

function askedOf(...args: readonly string[]): Promise<{ readonly out: readonly string[] }> {
  const folder = makeConfig({ 'policy.yaml': groups });
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return run(['-c', `${folder}/sallyport.yaml`, ...args]);
}

test('asks as a member of groups and sites, wherever it is', async () => {
  for (const args of [
    ['--group', 'research', '--group', 'eu'],
    ['--group', 'research,eu'],
    ['--group', 'eu', '--client', '10.30.0.1'],
  ]) {
    expect(JSON.parse((await askedOf('acme.test', ...args, '--json')).out.join('\n'))).toMatchObject({ rule: 'both' });
  }
  await expect(askedOf('acme.test', '--group', 'reserch')).rejects.toThrow(
    'explain: --group: unknown group or site "reserch"; did you mean "research"?',
  );
});

test('a name with commas that the policy knows is one name', async () => {
  const { out } = await askedOf('acme.test', '--forwarded', 'cn=chips,ou=groups', '--json');
  expect(JSON.parse(out.slice(1).join('\n'))).toMatchObject({
    groups: ['dn'],
    client: { forwarded: ['cn=chips,ou=groups'] },
  });
});

test.each(['acme', 'chat'])('doubts that "%s" is meant for a host', async (word) => {
  const { out } = await askedOf(word);
  expect(out[0]).toBe(
    `warning: "${word}" is taken for a host, but it is a name in the catalogue; ask about a host, such as acme.test`,
  );
});

test('takes an address as it is copied from a browser', async () => {
  expect((await askedOf('https://acme.test/a?b#c', '--json')).out.join('')).toContain('"host": "acme.test"');
});
