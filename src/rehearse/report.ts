/** Formats a replay for a terminal. */
import type { Change, Changed, ChangeKind } from './changes.ts';
import type { Replayed } from './replay.ts';
import type { Count, Ranked } from './tally.ts';

export interface Titles {
  /** Describes the policy that judges. */
  readonly policy: string;
  readonly against: string | null;
  /** Describes the time at which attempts are judged. */
  readonly when: string;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function some(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** Formats columns: the first is left-aligned, the others are right-aligned. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  return [head, ...rows].map((cells) => `  ${line(cells)}`.trimEnd());
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

/** Says how many rows a list omits, and how inexact its counts can be. */
function rest({ rows, total, atMost }: Ranked<unknown>): string[] {
  return [
    ...(total > rows.length ? [`  and ${number(total - rows.length)} more; --top shows more of them`] : []),
    ...(atMost > 0
      ? [`  too many to keep them all: each row, or one that is missing, may lack up to ${number(atMost)} attempts`]
      : []),
  ];
}

function fileLines({ files, bad, skipped }: Replayed): string[] {
  const notes = [
    [skipped.challenge, 'asked for credentials (407)'],
    [skipped['no-request'], 'without a request'],
    [skipped.inside, 'of tunnels whose requests are counted'],
    [skipped.outside, 'outside --from and --to'],
  ] as const;
  return [
    ...files.map(({ file, format, compression, lines, attempts, problem }) => {
      const form = [format ?? 'unknown format', ...(compression === 'none' ? [] : [compression])].join(', ');
      const stopped = problem === null ? '' : `; not read to its end: ${problem}`;
      return `${file} (${form}): ${some(lines, 'line')}, ${some(attempts, 'attempt')}${stopped}`;
    }),
    ...notes.flatMap(([count, what]) => (count === 0 ? [] : [`not counted: ${some(count, 'line')} ${what}`])),
    ...(bad.count === 0 ? [] : [`not understood: ${some(bad.count, 'line')}`]),
    ...bad.first.map(({ file, line, why, text }) => `  ${file}:${line}: ${why}: ${text}`),
  ];
}

const effectWords = { deny: 'denied', monitor: 'let through, counted', allow: 'let through' } as const;

function effectLines({ effects, unnamed }: Replayed): string[] {
  const rows = (['deny', 'monitor', 'allow'] as const).map((effect) => [
    effectWords[effect],
    number(effects[effect].attempts),
    number(effects[effect].users),
  ]);
  return [
    ...table(['', 'attempts', 'users'], rows),
    ...(unnamed === 0
      ? []
      : [
          `  ${some(unnamed, 'attempt')} to bare addresses: a TLS hello that names a host is judged by that name instead`,
        ]),
  ];
}

function tables(replayed: Replayed): string[] {
  const { byVendor, byRule, byUser, lookAlikes } = replayed;
  const vendors = byVendor.map(({ vendor, denied, monitored, allowed, hosts }) => [
    vendor,
    number(denied.attempts),
    number(denied.users),
    number(monitored.attempts),
    number(allowed.attempts),
    hosts[0]?.host ?? '',
  ]);
  const rules = byRule.map(({ rule, effect, attempts, users }) => [rule, effect, number(attempts), number(users)]);
  const users = byUser.rows.map(({ user, denied, monitored, vendors: of }) => [
    user,
    number(denied),
    number(monitored),
    Object.keys(of).slice(0, 3).join(', '),
  ]);
  return [
    ...section(
      'by vendor',
      vendors.length === 0 ? [] : table(['vendor', 'denied', 'users', 'counted', 'allowed', 'mostly'], vendors),
    ),
    ...section('by rule', rules.length === 0 ? [] : table(['rule', 'effect', 'attempts', 'users'], rules)),
    ...section(
      'by user',
      users.length === 0 ? [] : [...table(['user', 'denied', 'counted', 'vendors'], users), ...rest(byUser)],
    ),
    ...section(
      'look like AI, but no rule or catalogue entry names them',
      lookAlikes.rows.length === 0
        ? []
        : [
            ...lookAlikes.rows.map(
              ({ host, attempts, users: by, why }) =>
                `  ${host}: ${some(attempts, 'attempt')}, ${some(by, 'user')} (${why})`,
            ),
            ...rest(lookAlikes),
          ],
    ),
  ];
}

const changeWords: Readonly<Record<ChangeKind, string>> = {
  newlyBlocked: 'newly blocked',
  newlyAllowed: 'newly allowed',
  newlyMonitored: 'newly counted',
  noLongerMonitored: 'no longer counted',
};

function changeLines(title: string, change: Change): string[] {
  const { byVendor, byRule, byUser, examples } = change;
  if (change.attempts === 0) return [`  ${title}: none`];
  const counted = ({ attempts, users }: Count): string => `${some(attempts, 'attempt')}, ${some(users, 'user')}`;
  return [
    `  ${title}: ${counted(change)}`,
    ...byVendor.map((row) => `    vendor ${row.vendor ?? 'none'}: ${counted(row)}`),
    ...byRule.map((row) => `    rule ${row.from} -> ${row.to}: ${counted(row)}`),
    ...byUser.rows.slice(0, 5).map(({ user, attempts }) => `    user ${user}: ${some(attempts, 'attempt')}`),
    ...(byUser.total > 5 ? [`    and ${some(byUser.total - 5, 'more user')}`] : []),
    ...examples.map(({ at, client, user, host }) => {
      const who = user === client ? client : `${user} at ${client}`;
      return `    for example ${host}, requested by ${who} at ${at}`;
    }),
  ];
}

function changedLines(changed: Changed): string[] {
  return (Object.keys(changeWords) as ChangeKind[]).flatMap((kind) => changeLines(changeWords[kind], changed[kind]));
}

/** Escapes control characters: text from clients must not move the cursor of the terminal or reorder its text. */
function printable(line: string): string {
  return line.replaceAll(
    /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function reportLines(replayed: Replayed, { policy, against, when }: Titles): string[] {
  const { attempts, users, moreUsers, since, until, groupsNotTold, changes } = replayed;
  const span = since === null || until === null ? '' : `, from ${since} to ${until}`;
  const lines = [
    ...fileLines(replayed),
    `${some(attempts, 'attempt')} by ${moreUsers ? 'at least ' : ''}${some(users, 'user')}${span}`,
    `judged by ${policy}, ${when}`,
    ...(groupsNotTold.length === 0
      ? []
      : [
          `groups that no log tells, because a proxy or a directory does ("forwarded"), so that nobody is in them here: ${groupsNotTold.join(', ')}`,
        ]),
    ...section('would be', effectLines(replayed)),
    ...(changes === null || against === null ? [] : section(`what changes with ${against}`, changedLines(changes))),
    ...tables(replayed),
  ];
  return lines.map(printable);
}
