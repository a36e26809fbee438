import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { exceptions } from '../../src/cli/exceptions.ts';
import { explain } from '../../src/cli/explain.ts';
import { pause, resume } from '../../src/cli/pause.ts';
import type { Verb } from '../../src/cli/verb.ts';
import { goodPolicy, makeConfig } from '../config/folder.ts';

const verbs: Readonly<Record<string, Verb>> = { check, exceptions, explain, pause, resume };

let dir = '';
beforeEach(() => (dir = makeConfig({})));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Exit code, and what was printed, line by line. */
async function run(command: string): Promise<[code: number, ...lines: string[]]> {
  const [verb = '', ...args] = command.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const code = await verbs[verb]?.run([...args, '-c', 'sallyport.yaml'], { out: print, err: print, env: {}, cwd: dir });
  return [code ?? -1, ...lines];
}

const add = "exceptions add --vendor acme --until 30d --approved-by 'The head' --reason 'A trial.'";

async function json(command: string): Promise<unknown> {
  const [, ...lines] = await run(`${command} --json`);
  return JSON.parse(lines.join('\n'));
}

test('adds, lists and revokes', async () => {
  const [code, line] = await run(`${add} --group staff --ticket SEC-1`);
  expect(code).toBe(0);
  expect(line).toMatch(
    new RegExp(
      `^active +acme-for-staff +acme; for staff; until \\S+Z; approved by The head; SEC-1; added by ${userInfo().username}; reason: A trial\\.$`,
    ),
  );
  expect(await run('exceptions list')).toEqual([0, line]);
  expect(await run('exceptions revoke acme-for-staff --by bob')).toEqual([
    0,
    expect.stringMatching(/^revoked .* by bob; reason: A trial\.$/),
  ]);
  expect(await run('exceptions list')).toEqual([0, expect.stringMatching(/^no exceptions in .*exceptions\.jsonl/)]);
  expect(await run('exceptions list --all')).toEqual([0, expect.stringMatching(/^revoked /)]);
  expect(await run('exceptions revoke acme-for-staff')).toEqual([1, expect.stringMatching(/ended at/)]);
  expect(await run('exceptions revoke acme-for-stuff')).toEqual([
    1,
    expect.stringMatching(/did you mean "acme-for-staff"/),
  ]);
});

test('says that a site is needed beside the people, not instead of them', async () => {
  writeFileSync(join(dir, 'policy.yaml'), `sites: { berlin: { networks: [10.1.0.0/16] } }\n${goodPolicy}`);
  const [, both] = await run(`${add} --group staff --user ada --site berlin`);
  expect(both).toMatch(/^active +\S+ +acme; for staff, ada at berlin; until /);
  const [code, anybody, ...more] = await run(`${add} --site berlin`);
  expect([code, more]).toEqual([0, []]);
  expect(anybody).toMatch(/; for everyone at berlin; until /);
});

test('the same twice is refused, and --replace prolongs it', async () => {
  await run(`${add} --group staff`);
  await expect(run(`${add} --group staff`)).rejects.toThrow(
    /^exceptions add: "acme-for-staff" is for the same, until /,
  );
  expect(await run(`${add} --group staff --replace`)).toEqual([
    0,
    expect.stringMatching(/^revoked +acme-for-staff /),
    expect.stringMatching(/^active +acme-for-staff-2 /),
  ]);
  expect(await json(`${add} --group staff --replace`)).toMatchObject({ id: 'acme-for-staff-3', state: 'active' });
});

test('is for a list of the policy, and says where it is for everyone', async () => {
  const lists = `lists: { ads: { url: 'http://127.0.0.1:9/' } }\n${goodPolicy}`;
  writeFileSync(join(dir, 'policy.yaml'), lists);
  const whole = "--until 30d --approved-by Ada --reason 'A trial.'";
  const [code, line, note, ...more] = await run(`exceptions add --list ads ${whole}`);
  expect([code, more]).toEqual([0, []]);
  expect(line).toMatch(/^active +ads +ads; for everyone; until /);
  expect(note).toMatch(/^note: "ads" is for everyone; --group, --site, --user or --client would limit it/);
  await expect(run(`exceptions add --list adz ${whole}`)).rejects.toThrow(/unknown list "adz"; did you mean "ads"\?/);
  expect(await run(`exceptions add --list ads --group staff ${whole}`)).toHaveLength(2);
});

test('the file can be read by people', async () => {
  await run(`${add} --product acme/chat --user alice,bob --by carol`);
  const written = JSON.parse(readFileSync(join(dir, 'exceptions.jsonl'), 'utf8')) as Record<string, unknown>;
  expect(written).toMatchObject({
    id: 'acme-chat-for-alice',
    vendors: ['acme'],
    products: ['acme/chat'],
    users: ['alice', 'bob'],
    approved_by: 'The head',
    created_by: 'carol',
  });
});

test('facts for programs', async () => {
  expect(await json(`${add} --id mine --from 2099-01-01 --until 2099-02-01`)).toMatchObject({
    id: 'mine',
    state: 'scheduled',
    from: '2099-01-01T00:00:00Z',
    until: '2099-02-01T00:00:00Z',
  });
  expect(await json('exceptions list')).toMatchObject({
    exceptions: [{ id: 'mine', source: 'exceptions' }],
    pauses: [],
  });
});

test('lists those of the policy file, which it does not change', async () => {
  rmSync(dir, { recursive: true });
  const own = '  - { id: own, vendors: acme, until: 2099-01-01, approved_by: Head, reason: Why. }\n';
  dir = makeConfig({ 'policy.yaml': `exceptions:\n${own}` });
  expect(await json('exceptions list')).toMatchObject({ exceptions: [{ id: 'own', source: 'policy' }] });
  expect(await run('exceptions revoke own')).toEqual([1, expect.stringMatching(/is in the policy file/)]);
  await expect(run(`${add} --id own`)).rejects.toThrow('there already is an exception "own"');
});

test.each([
  ['exceptions', 'exceptions: name an action: add, list, revoke'],
  ['exceptions ad', 'exceptions: unknown action "ad"; did you mean "add"?'],
  [
    'exceptions add acme --until 1h',
    'exceptions add: unexpected argument "acme"; say what it is for with an option, such as --vendor acme',
  ],
  ['pause chat 30m', 'unknown vendor "chat"; it is the product "acme/chat": did you mean its vendor "acme"?'],
  ['exceptions list now', 'exceptions list: unexpected argument "now"'],
  ['exceptions revoke', 'exceptions revoke: name the id'],
  ['exceptions add --vendor acme --until 30d --reason x', 'exceptions add: --approved-by is missing; add it'],
  ['exceptions add --vendor acme', 'exceptions add: --until, --reason, --approved-by are missing; add them'],
  [`${add} --vendor acne`, 'exceptions add: unknown vendor "acne"; did you mean "acme"?'],
  [`${add} --group stuff`, 'exceptions add: unknown group "stuff"; did you mean "staff"?'],
  [`${add} --until 2020-01-01`, 'which is in the past'],
  [`${add} --until 30`, '"30" has no unit; write 30d for days, 30h for hours, or a date'],
  [
    'exceptions add --until 30d --reason x --approved-by me',
    'exceptions add: say what it is for; add one of --vendor, --product, --channel, --tag, --risk, --domain, --list',
  ],
  ['pause', 'pause: name a vendor, and say for how long, as in "sallyport pause openai 30m"'],
  ['pause --all', 'pause: say for how long'],
  ['pause acme', 'pause: say for how long'],
  ['pause 30m', 'pause: name a vendor, or write --all'],
  ['pause acme 30 minutes', 'pause: say for how long'],
  ['pause acne 30m', 'pause: unknown vendor "acne"; did you mean "acme"?'],
  ['pause acme 60d', 'pause: a pause lasts at most 7d'],
  ['pause --all 10m', 'add --yes if you mean that'],
  ['pause acme --all 10m', 'name a vendor or write --all, not both'],
  ['resume', 'resume: name a vendor, or write --all'],
  ['resume acne', 'resume: unknown vendor "acne"; did you mean "acme"?'],
])('wrong use: %s', async (command, message) => {
  await expect(run(command)).rejects.toThrow(message);
});

test('a pause lets through what is denied, and explain says so', async () => {
  expect(await run('explain acme.test')).toContainEqual(expect.stringMatching(/^deny /));
  expect(await run('pause acme 30m --reason Outage')).toEqual([
    0,
    expect.stringMatching(/^active +pause-acme +pause of acme;/),
  ]);
  const [code, ...lines] = await run('explain acme.test');
  expect(code).toBe(0);
  expect(lines).toContainEqual(expect.stringMatching(/^monitor {2}acme\.test/));
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}won +pause pause-acme \(monitor\): what is denied of acme/));
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}lost +rule ban \(deny\): the pause pause-acme lifts it$/));
  expect(await run('resume acme')).toEqual([0, expect.stringMatching(/^revoked /)]);
  expect(await run('resume acme')).toEqual([1, expect.stringMatching(/acme is not paused/)]);
  expect((await run('explain acme.test'))[0]).toBe(1);
});

test('a pause of everything', async () => {
  expect((await run('pause --all 10m --yes'))[0]).toBe(0);
  expect((await run('explain acme.test'))[0]).toBe(0);
  expect((await run('resume --all'))[0]).toBe(0);
  expect((await run('explain acme.test'))[0]).toBe(1);
});

test('explain knows for whom an exception is, and until when', async () => {
  await run(`${add} --user alice --client 10.9.0.0/16 --until 2099-01-01`);
  expect((await run('explain acme.test'))[0]).toBe(1);
  expect((await run('explain acme.test --user alice'))[0]).toBe(0);
  expect((await run('explain acme.test --client 10.9.1.2'))[0]).toBe(0);
  expect((await run('explain acme.test --client 10.9.1.2 --at 2099-01-02'))[0]).toBe(1);
});

test('a broken file is refused with its line, by whoever needs it', async () => {
  writeFileSync(join(dir, 'exceptions.jsonl'), '{}\n{');
  await expect(run('explain acme.test')).rejects.toThrow(/exceptions\.jsonl:1:1: "id" is missing; add it/);
  await expect(run(add)).rejects.toThrow(/exceptions\.jsonl:1:1/);
  expect(readFileSync(join(dir, 'exceptions.jsonl'), 'utf8')).toBe('{}\n{');
});

test('check warns of what is about something that is no longer there', async () => {
  await run(`${add} --group staff`);
  expect((await run('check --strict'))[0]).toBe(0);
  writeFileSync(
    join(dir, 'policy.yaml'),
    'rules: [{ id: acme-for-staff, vendors: acme, effect: allow, reason: Why. }]\n',
  );
  const [code, , ...warnings] = await run('check --strict');
  expect(code).toBe(1);
  expect(warnings).toEqual([
    expect.stringMatching(
      /exceptions\.jsonl:1:1: warning: "acme-for-staff": unknown group "staff"; there are none yet$/,
    ),
    expect.stringMatching(
      /exceptions\.jsonl:1:1: warning: "acme-for-staff": the policy file has the same id; rename one/,
    ),
  ]);
});

describe('with a policy that cannot be read', () => {
  const note = expect.stringMatching(/^note: the policy is left out, .*policy\.yaml:2:1: not valid YAML/) as string;
  const breakPolicy = (): void => writeFileSync(join(dir, 'policy.yaml'), 'rules: [\n');

  test('what is there is listed and ended all the same', async () => {
    await run(`${add} --group staff`);
    await run('pause acme 30m');
    breakPolicy();
    const listed = await run('exceptions list');
    expect(listed).toEqual([
      0,
      note,
      expect.stringMatching(/^active +acme-for-staff /),
      expect.stringMatching(/pause/),
    ]);
    expect(await run('exceptions revoke acme-for-staff')).toEqual([0, note, expect.stringMatching(/^revoked /)]);
    expect(await run('exceptions revoke acme-for-staff')).toEqual([1, note, expect.stringMatching(/ended at/)]);
    expect(await run('resume acme')).toEqual([0, note, expect.stringMatching(/^revoked /)]);
    expect(await run('resume acme')).toEqual([1, note, expect.stringMatching(/acme is not paused/)]);
    expect(await run('exceptions list')).toEqual([
      0,
      note,
      expect.stringMatching(/^no exceptions in .*exceptions\.jsonl$/),
    ]);
  });

  test('nothing new is made, whose names could not be checked', async () => {
    breakPolicy();
    const why = /: nothing was made, because names cannot be checked: .*policy\.yaml:2:1: not valid YAML/;
    await expect(run(add)).rejects.toThrow(why);
    await expect(run('pause acme 30m')).rejects.toThrow(why);
  });

  test('what is wrong in sallyport.yaml or in the file of exceptions is told as before', async () => {
    breakPolicy();
    writeFileSync(join(dir, 'exceptions.jsonl'), 'no JSON\n');
    await expect(run('exceptions list')).rejects.toThrow(/exceptions\.jsonl:1:1: not valid JSON/);
    writeFileSync(join(dir, 'sallyport.yaml'), 'polcy: x\n');
    await expect(run('resume --all')).rejects.toThrow(/sallyport\.yaml:1:1: .*polcy/);
  });
});
