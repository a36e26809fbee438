import { expect, test } from 'vitest';
import { add, parseLength, pause, Refused, resume, revoke } from '../../src/config/exception-changes.ts';
import type { Change, Terms, WantedException } from '../../src/config/exception-changes.ts';
import { endOf, isPause, toException, toPause } from '../../src/config/exception-line.ts';
import type { StoredLine } from '../../src/config/exception-line.ts';
import type { Contents } from '../../src/config/exceptions-file.ts';

const now = Date.UTC(2026, 6, 10, 8);
const hour = 3_600_000;
const terms: Terms = {
  names: {
    vendors: ['anthropic', 'openai'],
    products: ['openai/chatgpt'],
    tags: ['coding-agent'],
    groups: ['research'],
    risks: [],
    lists: [],
    sites: ['berlin'],
    assistants: [],
    aliases: new Map([['claude', ['anthropic']]]),
  },
  taken: new Set(['in-the-policy']),
  timeZone: 'Europe/Berlin',
  now,
};
const wanted: WantedException = { vendors: ['anthropic'], until: '30d', approved_by: 'the head', reason: 'A trial.' };

function contents(...lines: readonly StoredLine[]): Contents {
  return { file: 'exceptions.jsonl', raw: lines.map(({ id }) => id), lines: new Map(lines.entries()) };
}

/** What is in the file after a change. */
function after(before: Contents, { append, replace }: Change): Contents {
  return contents(...Array.from(before.lines, ([index, line]) => replace.get(index) ?? line), ...append);
}

function added(given: Partial<WantedException> = {}, before = contents()): StoredLine {
  const [line] = add(before, { ...wanted, ...given }, 'alice', terms).append;
  if (line === undefined) throw new Error('nothing was added');
  return line;
}

test('an exception says who made it and when, and ends as it is told to', () => {
  expect(added({ ticket: 'SEC-1', groups: ['research'] })).toMatchObject({
    id: 'anthropic-for-research',
    ticket: 'SEC-1',
    until: now + 30 * 24 * hour,
    created_at: now,
    created_by: 'alice',
  });
});

test.each([
  ['2h', now + 2 * hour],
  ['2026-07-11', Date.UTC(2026, 6, 10, 22)],
  ['2026-07-11T08:00Z', Date.UTC(2026, 6, 11, 8)],
])('until %s', (until, at) => {
  expect(added({ until }).until).toBe(at);
});

test.each<[Partial<WantedException>, string]>([
  [{}, 'anthropic'],
  [{ vendors: undefined, products: ['openai/chatgpt'] }, 'openai-chatgpt'],
  [{ vendors: undefined, domains: ['=Claude.AI'], users: ['Alice@corp.test'] }, 'claude-ai-for-alice-corp-test'],
  [{ networks: ['10.1.0.0/16'] }, 'anthropic-for-10-1-0-0-16'],
  [{ id: 'mine' }, 'mine'],
])('an id that people can read: %j', (given, id) => {
  expect(added(given).id).toBe(id);
});

test('ids never come twice', () => {
  const first = contents(added());
  const second = after(first, add(first, { ...wanted, until: '1d', replace: true }, 'alice', terms));
  expect([...second.lines.values()].map(({ id }) => id)).toEqual(['anthropic', 'anthropic-2']);
});

test('the same a second time is refused, so that nothing is left when the first is revoked', () => {
  const first = contents(added());
  const again = (more: Partial<WantedException>): Change =>
    add(first, { ...wanted, until: '60d', ...more }, 'bob', terms);
  expect(() => again({})).toThrow(
    '"anthropic" is for the same, until 2026-08-09T08:00:00Z; write "replace" (--replace) to end it',
  );
  expect(again({ id: 'second' }).append).toMatchObject([{ id: 'second' }]);
  expect(again({ groups: ['research'] }).append).toMatchObject([{ id: 'anthropic-for-research' }]);
  const [old, longer] = after(first, again({ replace: true })).lines.values();
  expect(old).toMatchObject({ id: 'anthropic', revoked_at: now, revoked_by: 'bob' });
  expect(longer).toMatchObject({ id: 'anthropic-2', until: now + 60 * 24 * hour, created_by: 'bob' });
  expect(longer).not.toHaveProperty('replace');
});

test('single users and networks are groups of their own', () => {
  const line = added({ users: ['alice'], networks: ['10.1.2.3'], groups: ['research'] });
  if (isPause(line)) throw new Error('this is a pause');
  expect(toException(line)).toMatchObject({
    groups: ['research', 'user:alice', 'network:10.1.2.3/32'],
    from: now,
    approvedBy: 'the head',
  });
});

test.each<[sentence: string, given: Partial<WantedException>, why: Refused['why'], message: string]>([
  ['an unknown vendor', { vendors: ['antropic'] }, 'invalid', 'unknown vendor "antropic"; did you mean "anthropic"?'],
  [
    'another name of a vendor',
    { vendors: ['claude'] },
    'invalid',
    'unknown vendor "claude"; did you mean "anthropic"?',
  ],
  ['an unknown product', { products: ['openai/chatgtp'] }, 'invalid', 'did you mean "openai/chatgpt"?'],
  ['an unknown group', { groups: ['reserch'] }, 'invalid', 'unknown group "reserch"; did you mean "research"?'],
  ['a bad network', { networks: ['10.1.2'] }, 'invalid', '"10.1.2"'],
  ['a bad domain', { domains: ['*.claude.ai'] }, 'invalid', 'has a wildcard'],
  ['nothing', { vendors: undefined }, 'invalid', 'does not say what it is about'],
  ['a word for an end', { until: 'soon' }, 'invalid', '"soon" is not a date'],
  ['a length without a unit that is known', { until: '30 days' }, 'invalid', '"30 days" is not a length of time'],
  ['an end that is over', { until: '2026-07-09' }, 'invalid', 'which is in the past'],
  ['a reason of several lines', { reason: 'a\nb' }, 'invalid', 'control characters'],
  ['a reason with a line separator', { reason: 'a\u2028b' }, 'invalid', 'control characters'],
  ['half a character', { reason: '\ud800' }, 'invalid', 'control characters'],
  ['an id that cannot be one', { id: 'No Id' }, 'invalid', 'an id has at most'],
  ['an id of the policy', { id: 'in-the-policy' }, 'taken', 'there already is an exception "in-the-policy"'],
])('refuses %s', (_, given, why, message) => {
  const change = (): unknown => add(contents(), { ...wanted, ...given }, 'alice', terms);
  expect(change).toThrow(Refused);
  expect(change).toThrow(expect.objectContaining({ why, message: expect.stringContaining(message) as unknown }));
});

test('a revoked one stays as history, and ends at once', () => {
  const before = contents(added());
  const [line] = revoke(before, 'anthropic', 'bob', terms).replace.values();
  expect(line).toMatchObject({ id: 'anthropic', revoked_at: now, revoked_by: 'bob', created_by: 'alice' });
  expect(line && endOf(line)).toBe(now);
});

test.each([
  ['anthropc', 'there is no exception "anthropc"; did you mean "anthropic"?'],
  ['in-the-policy', 'the exception "in-the-policy" is in the policy file; remove it there'],
])('cannot revoke %s', (id, message) => {
  expect(() => revoke(contents(added()), id, 'bob', terms)).toThrow(
    expect.objectContaining({ why: 'unknown', message }),
  );
});

test('nothing is revoked twice', () => {
  const before = contents(added());
  const ended = after(before, revoke(before, 'anthropic', 'bob', terms));
  expect(() => revoke(ended, 'anthropic', 'bob', terms)).toThrow(/ended at 2026-07-10T08:00:00/);
});

test('a pause takes the place of the one before', () => {
  const first = after(contents(), pause(contents(), { vendor: 'openai', length: hour }, 'alice', terms));
  const second = after(first, pause(first, { vendor: 'openai', length: 2 * hour, reason: 'An outage.' }, 'bob', terms));
  const [one, two] = [...second.lines.values()];
  expect(one).toMatchObject({ id: 'pause-openai', revoked_by: 'bob', reason: 'Paused by alice.' });
  expect(two).toMatchObject({ id: 'pause-openai-2', reason: 'An outage.' });
  if (two === undefined || !isPause(two)) throw new Error('this is not a pause');
  expect(toPause(two)).toMatchObject({ vendor: 'openai', from: now, until: now + 2 * hour });
});

test.each<[vendor: string | null, length: number, message: string]>([
  ['opnai', hour, 'unknown vendor "opnai"; did you mean "openai"?'],
  [null, 8 * 24 * hour, 'a pause lasts at most 7d'],
])('refuses to pause %s for %i', (vendor, length, message) => {
  expect(() => pause(contents(), { vendor, length }, 'alice', terms)).toThrow(message);
});

test('resume ends the pause of one vendor, and of all', () => {
  const one = after(contents(), pause(contents(), { vendor: 'openai', length: hour }, 'a', terms));
  const both = after(one, pause(one, { vendor: null, length: hour }, 'a', terms));
  expect([...resume(both, 'openai', 'b', terms).replace.keys()]).toEqual([0]);
  expect([...resume(both, null, 'b', terms).replace.keys()]).toEqual([0, 1]);
  expect(() => resume(both, 'anthropic', 'b', terms)).toThrow(
    'anthropic is paused with all other vendors; resume --all ends that',
  );
  expect(() => resume(one, 'anthropic', 'b', terms)).toThrow('anthropic is not paused');
  expect(() => resume(one, 'antropic', 'b', terms)).toThrow('did you mean "anthropic"?');
  expect(() => resume(contents(), null, 'b', terms)).toThrow('nothing is paused');
});

test.each([
  ['30m', 30 * 60_000],
  ['2h', 2 * hour],
  ['30d', 720 * hour],
  ['1w', 168 * hour],
  ['0m', null],
  ['30', null],
  ['1y', null],
  ['m', null],
])('the length %s', (text, length) => {
  expect(parseLength(text)).toBe(length);
});
