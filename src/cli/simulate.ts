/** `sallyport simulate`: replays existing logs, and reports what the policy would have done. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { loadConfig } from '../config/load.ts';
import { loadOther } from '../config/load-other.ts';
import { parseMoment, resolveMoment } from '../config/moment.ts';
import { didYouMean } from '../config/nearest.ts';
import { shownPath } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import { formatAliases } from '../rehearse/format.ts';
import type { Format } from '../rehearse/format.ts';
import { UnreadableLog } from '../rehearse/log-file.ts';
import { replay } from '../rehearse/replay.ts';
import type { Log, Replayed } from '../rehearse/replay.ts';
import { changeKinds } from '../rehearse/changes.ts';
import { reportLines } from '../rehearse/report.ts';
import { judgedOnDisk, warnOf } from './domain-sets.ts';
import { configFile, configOption, parse, UsageError } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

const options = {
  ...configOption,
  log: { type: 'string', multiple: true },
  against: { type: 'string' },
  format: { type: 'string' },
  at: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  top: { type: 'string' },
  'fail-on-change': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

function readFormat(text: string | undefined): Format | null {
  if (text === undefined) return null;
  const format = Object.hasOwn(formatAliases, text) ? formatAliases[text] : undefined;
  if (format !== undefined) return format;
  throw new UsageError(`simulate: unknown --format "${text}"; ${didYouMean(text, Object.keys(formatAliases))}`);
}

function readTop(text: string): number {
  const top = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (top < 1) throw new UsageError(`simulate: --top "${text}" is not a number from 1 to 99999`);
  return top;
}

/** `now`, or a moment as in explain; a day begins at midnight in the policy's time zone. */
function readTime(option: string, text: string, zone: string): number {
  if (text === 'now') return Date.now();
  try {
    return resolveMoment(parseMoment(text), zone);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new UsageError(`simulate: --${option}: ${error.message}`, { cause: error });
  }
}

interface Times {
  /** Null: each attempt is judged at its own time. */
  readonly at: number | null;
  readonly from: number;
  readonly to: number;
}

/** `--at`, `--from` and `--to` in epoch milliseconds; a day begins at midnight in the policy's time zone. */
function readTimes(values: Readonly<Partial<Record<keyof Times, string>>>, zone: string): Times {
  const read = (option: keyof Times): number | undefined => {
    const text = values[option];
    return text === undefined ? undefined : readTime(option, text, zone);
  };
  const { at = null, from = -Infinity, to = Infinity } = { at: read('at'), from: read('from'), to: read('to') };
  if (from >= to) throw new UsageError('simulate: --from is not before --to; swap or correct them');
  return { at, from, to };
}

interface Files {
  readonly logs: readonly Log[];
  /** Bytes of all logs; null if the size of one is unknown. */
  readonly total: number | null;
  readonly read: () => number;
}

function openFiles(names: readonly string[], { cwd, stdin }: Io): Files {
  let read = 0;
  let total: number | null = 0;
  const logs = names.map((name): Log => {
    if (name === '-') {
      if (stdin === undefined) throw new UsageError('simulate: there is no standard input to read; name a file');
      total = null;
      return { name: 'standard input', bytes: stdin };
    }
    const file = resolve(cwd, name);
    if (!existsSync(file)) throw new UsageError(`simulate: there is no file ${name}; correct the path of --log`);
    const stats = statSync(file);
    if (stats.isDirectory())
      throw new UsageError(`simulate: ${name} is a folder; name the files in it, each with --log`);
    if (total !== null && stats.isFile()) total += stats.size;
    async function* bytes(): AsyncGenerator<Buffer> {
      for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
        read += chunk.length;
        yield chunk;
      }
    }
    return { name, bytes: bytes() };
  });
  return { logs, total, read: () => read };
}

/** Shows a bar if the size is known, otherwise the number of lines; at most ten times a second. */
function showProgress(
  io: Io,
  { total, read }: Files,
): { readonly lines: (count: number) => void; readonly end: () => void } {
  const { progress } = io;
  if (progress === undefined) return { lines: () => undefined, end: () => undefined };
  let next = 0;
  return {
    lines(count) {
      const now = performance.now();
      if (now < next) return;
      next = now + 100;
      const share = total === null || total === 0 ? null : Math.min(1, read() / total);
      const filled = Math.round((share ?? 0) * 30);
      const bar =
        share === null ? '' : `[${'#'.repeat(filled)}${'.'.repeat(30 - filled)}] ${Math.floor(share * 100)}%  `;
      progress(`${bar}${count.toLocaleString('en-US')} lines`);
    },
    end: () => progress(''),
  };
}

function policyFacts({ policyFile, policyHash }: Config): { readonly file: string; readonly hash: string } {
  return { file: policyFile, hash: policyHash };
}

function changed({ changes }: Replayed): boolean {
  return changes !== null && changeKinds.some((kind) => changes[kind].attempts > 0);
}

function nothingFound(names: readonly string[], { lines }: Replayed): string {
  const where = names.map((name) => (name === '-' ? 'standard input' : basename(name))).join(', ');
  const why = lines === 0 ? 'it has no lines; pipe or name another log' : 'see the lines that were not understood';
  return `simulate: no attempt was found in ${where}; ${why}`;
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parse({ args: [...args], options, allowPositionals: true });
  const { log = [], against } = values;
  const names = [...log, ...positionals];
  if (names.length === 0)
    throw new UsageError('simulate: name a log, as in --log /var/log/squid/access.log; "-" reads standard input');
  if (names.filter((name) => name === '-').length > 1)
    throw new UsageError('simulate: standard input can be read only once');
  if (values['fail-on-change'] === true && against === undefined) {
    throw new UsageError('simulate: --fail-on-change compares two policies; name the other one with --against');
  }
  const format = readFormat(values.format);
  const top = readTop(values.top ?? '20');
  const files = openFiles(names, io);
  const file = configFile(values.config, io);
  const config = loadConfig(file);
  const other = against === undefined ? null : loadOther(resolve(io.cwd, against), file);
  const times = readTimes(values, config.policy.timeZone ?? 'UTC');
  const own = await judgedOnDisk(config);
  const others = other === null ? null : await judgedOnDisk(other);
  warnOf([own.lists, ...(others === null ? [] : [others.lists])], io.err);
  const progress = showProgress(io, files);
  let replayed: Replayed;
  try {
    replayed = await replay(files.logs, {
      policy: own.judged,
      against: others === null ? null : others.judged,
      format,
      ...times,
      top,
      progress: progress.lines,
    });
  } catch (error) {
    if (!(error instanceof UnreadableLog)) throw error;
    throw new UsageError(`simulate: ${error.message}`, { cause: error });
  } finally {
    progress.end();
  }
  const judgedAt = times.at === null ? null : new Date(times.at).toISOString();
  if (values.json === true) {
    const facts = {
      policy: policyFacts(config),
      against: other === null ? null : policyFacts(other),
      judgedAt,
      ...replayed,
    };
    io.out(JSON.stringify(facts, null, 2));
  } else {
    const when = judgedAt === null ? 'each attempt at its own time' : `all as of ${judgedAt}`;
    const titles = { policy: shownPath(config.policyFile), against: against ?? null, when };
    reportLines(replayed, titles).forEach((line) => io.out(line));
  }
  if (replayed.attempts === 0) {
    io.err(nothingFound(names, replayed));
    return 1;
  }
  return values['fail-on-change'] === true && changed(replayed) ? 1 : 0;
}

export const simulate: Verb = {
  summary: 'Replays access logs and says what the policy would have done, and what another policy would change',
  usage:
    'simulate [--log] FILE... [--against POLICY [--fail-on-change]] [--format squid|common|json] [--at now|TIME] [--from TIME] [--to TIME] [--top N] [--json] [-c FILE]',
  run,
};
