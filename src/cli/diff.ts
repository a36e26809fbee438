/** `sallyport diff`: describes the consequences of a policy change. */
import { resolve } from 'node:path';
import { loadOther } from '../config/load-other.ts';
import type { Config } from '../config/schema.ts';
import { withStored } from '../config/stored-exceptions.ts';
import { consequences } from '../rehearse/consequences.ts';
import type { Consequence } from '../rehearse/consequences.ts';
import { policyChanges } from '../rehearse/policy-changes.ts';
import type { PolicyChange } from '../rehearse/policy-changes.ts';
import { momentText } from '../rehearse/policy-words.ts';
import { judgedOnDisk, warnOf } from './domain-sets.ts';
import { listChangeOf, listChanges } from './list-changes.ts';
import { configFile, configOption, parse, UsageError } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

/** Number of names in one line; the JSON has all. */
const namesShown = 8;

const does = { allow: 'allowed', deny: 'denied', monitor: 'counted' } as const;

function names(all: readonly string[]): string {
  const more = all.length - namesShown;
  return `${all.slice(0, namesShown).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function saysText({ effect, rule, pause }: Consequence['before']): string {
  return `${does[effect]} by ${rule}${pause === null ? '' : ` under the pause ${pause}`}`;
}

/** Fewer of the same are dates, each of which somebody chose; more are weekly windows. */
const FEWEST_REPEATED = 3;

/** Consequences by line: what weekly windows repeat is one, in the order of the first times. */
function repeated(all: readonly Consequence[]): Consequence[][] {
  const alike = new Map<string, Consequence[]>();
  for (const consequence of all) {
    const { before, after, what, whom, except, from } = consequence;
    // What has been so all along is told by itself.
    const key = JSON.stringify([before, after, what, whom, except, from === null]);
    alike.set(key, [...(alike.get(key) ?? []), consequence]);
  }
  return [...alike.values()]
    .flatMap((same) => (same.length < FEWEST_REPEATED ? same.map((one) => [one]) : [same]))
    .toSorted(([a], [b]) => (a?.from ?? 0) - (b?.from ?? 0));
}

function consequenceLine([first, ...again]: readonly Consequence[]): string[] {
  if (first === undefined) return [];
  const { what, whom, except, from, until, before, after } = first;
  const when = [
    ...(from === null ? [] : [`from ${momentText(from)}`]),
    ...(until === null ? [] : [`until ${momentText(until)}`]),
    ...(again.length === 0 ? [] : [`and ${again.length} more times (--json lists them)`]),
  ].join(' ');
  const answers = `${saysText(after)}, was ${saysText(before)}`;
  const clients = `${names(whom)}${except.length === 0 ? '' : ` but ${names(except)}`}`;
  return [`  ${names(what)}, for ${clients}${when === '' ? '' : `, ${when}`}: ${answers}`];
}

const signs = { added: '+', removed: '-', changed: '~', moved: '~' } as const;

function changeLine({ change, kind, id, text }: PolicyChange): string {
  return `  ${signs[change]} ${kind} ${id}: ${text}`;
}

function dated(consequence: Consequence): object {
  const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  return { ...consequence, from: iso(consequence.from), until: iso(consequence.until) };
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parse({
    args: [...args],
    allowPositionals: true,
    options: { ...configOption, json: { type: 'boolean' } },
  });
  const [old, now, ...more] = positionals;
  if (old === undefined || now === undefined)
    throw new UsageError('diff: name two policies, the old one and the new one');
  if (more.length > 0) throw new UsageError(`diff: it compares two policies; unexpected argument "${more.join(' ')}"`);
  const base = configFile(values.config, io);
  const asked = Date.now();
  // Exceptions that have ended say nothing about the policies, and would split each consequence in two.
  const read = (file: string): Config => {
    const config = loadOther(resolve(io.cwd, file), base);
    return withStored(config, config.stored, asked);
  };
  const [before, after] = [read(old), read(now)];
  const sides = [await judgedOnDisk(before), await judgedOnDisk(after)] as const;
  warnOf([sides[0].lists, sides[1].lists], io.err);
  const lists = await listChanges(sides[0].lists, sides[1].lists);
  const changes = [...policyChanges(before.policy, after.policy), ...lists.map(listChangeOf)];
  const effects = consequences(sides[0].judged, sides[1].judged, asked, lists);
  const same = changes.length === 0 && effects.length === 0;
  if (values.json === true) {
    const hashes = { before: before.policyHash, after: after.policyHash };
    io.out(JSON.stringify({ same, hashes, changes, consequences: effects.map(dated) }, null, 2));
    return same ? 0 : 1;
  }
  const part = (title: string, lines: readonly string[]): void => [title, ...lines].forEach((line) => io.out(line));
  if (same) io.out('no difference');
  else if (changes.length === 0) io.out('the policies say the same');
  else part('the policy says', changes.map(changeLine));
  if (effects.length > 0) part('the effect is', repeated(effects).flatMap(consequenceLine));
  else if (!same) io.out('nothing is allowed, counted or denied differently than before');
  return same ? 0 : 1;
}

export const diff: Verb = {
  summary:
    'Says in plain sentences what differs between two policies, for whom and when; exits with 0 if nothing does, else with 1',
  usage: 'diff OLD NEW [--json] [-c FILE]',
  run,
};
