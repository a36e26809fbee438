import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { diff } from '../../src/cli/diff.ts';
import { goodPolicy, makeConfig } from '../config/folder.ts';

function pause(from: string, until: string): string {
  return JSON.stringify({ id: 'was', pause: 'acme', from, until, reason: 'x', created_at: from, created_by: 'Bo' });
}

// A pause that is over lies beside them, and tells nothing of any.
const dir = makeConfig({
  'open.yaml': goodPolicy.replace('effect: deny', 'effect: allow'),
  'worded.yaml': goodPolicy.replace('Because.', 'So it is.'),
  'other.yaml': 'policy: open.yaml\n',
  'grouped.yaml': goodPolicy.replace('groups:\n', 'groups:\n  named: { users: [ada] }\n'),
  'office.yaml': goodPolicy.replace('effect: deny', 'windows: mon-fri 08:00-18:00\n    effect: deny'),
  'exceptions.jsonl': `${pause('2026-01-01T00:00:00Z', '2026-01-01T00:30:00Z')}\n`,
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function run(...args: readonly string[]): Promise<{ code: number; out: string }> {
  const out: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => out.push(line), env: {}, cwd: dir };
  const code = await diff.run(['-c', 'sallyport.yaml', ...args], io);
  return { code, out: out.join('\n') };
}

test.each(['open.yaml', 'other.yaml'])('says what %s changes', async (other) => {
  expect(await run('policy.yaml', other)).toEqual({
    code: 1,
    out: [
      'the policy says',
      '  ~ rule ban: effect allow, was deny',
      'the effect is',
      '  acme, for everyone: allowed by ban, was denied by ban',
    ].join('\n'),
  });
});

test('other words without another effect', async () => {
  const { code, out } = await run('policy.yaml', 'worded.yaml');
  expect([code, out.split('\n').at(-1)]).toEqual([1, 'nothing is allowed, counted or denied differently than before']);
});

test('of weekly windows the first time, and how often again, with no end that is only that of the search', async () => {
  const { out } = await run('policy.yaml', 'office.yaml');
  const effects = out.split('\n').slice(3);
  const answers = 'counted by default-catalogue, was denied by ban';
  const at = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\dZ`;
  expect(effects.at(-1)).toMatch(
    new RegExp(
      `^  acme, for everyone, from ${at} until ${at} and \\d+ more times \\(--json lists them\\): ${answers}$`,
    ),
  );
  // What is so now may have begun at any time, and is a line of its own.
  expect(effects.length).toBeLessThan(3);
});

test('of a new group only what it has', async () => {
  const { out } = await run('policy.yaml', 'grouped.yaml');
  expect(out.split('\n')[1]).toBe('  + group named: users ada');
});

test('no difference', async () => {
  expect(await run('policy.yaml', 'sallyport.yaml')).toEqual({ code: 0, out: 'no difference' });
});

test('prints every fact as JSON', async () => {
  const { code, out } = await run('policy.yaml', 'open.yaml', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    same: false,
    changes: [{ change: 'changed', kind: 'rule', id: 'ban', facts: { effect: { before: 'deny', after: 'allow' } } }],
    consequences: [
      {
        before: { effect: 'deny', rule: 'ban' },
        after: { effect: 'allow', rule: 'ban' },
        what: ['acme'],
        whom: ['everyone'],
        except: [],
        from: null,
        until: null,
      },
    ],
  });
});

test.each([
  [[], 'name two policies'],
  [['policy.yaml'], 'name two policies'],
  [['policy.yaml', 'open.yaml', 'x'], 'it compares two policies'],
  [['policy.yaml', 'missing.yaml'], 'no such file'],
])('wrong use: %j', async (args, message) => {
  await expect(run(...args)).rejects.toThrow(message);
});
