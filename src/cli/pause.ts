/** `sallyport pause` and `resume`: for a while, what is denied of a vendor is let through and counted. */
import { parseLength, pause as pauseVendor, resume as resumeVendor, shownEntry } from '../config/exception-changes.ts';
import type { Change } from '../config/exception-changes.ts';
import type { PauseLine } from '../config/exception-line.ts';
import { changeExceptions } from '../config/exception-store.ts';
import type { Contents } from '../config/exceptions-file.ts';
import { termsOf } from '../config/stored-exceptions.ts';
import { attempt, entryLine, whoAsks } from './exceptions.ts';
import { policyAtHand, wholePolicy } from './policy-at-hand.ts';
import { configFile, configOption, parse, UsageError } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

const options = {
  ...configOption,
  all: { type: 'boolean' },
  by: { type: 'string' },
  json: { type: 'boolean' },
} as const;

interface Wanted {
  readonly json: boolean;
  readonly what: 'pause' | 'resume';
  readonly exceptionsFile: string;
  readonly edit: (contents: Contents) => Change<PauseLine>;
}

function carryOut({ json, what, exceptionsFile, edit }: Wanted, io: Io): Promise<ExitCode> {
  return attempt(what, io, async () => {
    const changed = await changeExceptions(exceptionsFile, edit);
    const shown = changed.map((stored) => shownEntry(stored, Date.now()));
    if (json) io.out(JSON.stringify(shown, null, 2));
    else shown.forEach((entry) => io.out(entryLine(entry)));
    return 0;
  });
}

/** The given vendor, or null for all of them. */
function vendorOf(what: string, all: boolean | undefined, names: readonly string[]): string | null {
  const [vendor, ...more] = names;
  if (more.length > 0) throw new UsageError(`${what}: unexpected argument "${more.join(' ')}"`);
  if (all === true && vendor !== undefined) throw new UsageError(`${what}: name a vendor or write --all, not both`);
  if (all !== true && vendor === undefined) throw new UsageError(`${what}: name a vendor, or write --all`);
  return vendor ?? null;
}

export const pause: Verb = {
  summary: 'Lets through and counts what is denied of a vendor for a while; a running proxy follows within a second',
  usage: 'pause VENDOR|--all 30m [--yes] [--reason TEXT] [--by NAME] [--json] [-c FILE]',
  async run(args, io) {
    const { values, positionals } = parse({
      args: [...args],
      options: { ...options, reason: { type: 'string' }, yes: { type: 'boolean' } },
      allowPositionals: true,
    });
    const text = positionals.at(-1);
    if (text === undefined && values.all !== true) {
      throw new UsageError('pause: name a vendor, and say for how long, as in "sallyport pause openai 30m"');
    }
    const length = text === undefined ? null : parseLength(text);
    if (length === null) {
      throw new UsageError('pause: say for how long, with m, h or d, as in "sallyport pause openai 30m"');
    }
    const vendor = vendorOf('pause', values.all, positionals.slice(0, -1));
    if (vendor === null && values.yes !== true) {
      throw new UsageError('pause: --all lets everybody use every AI vendor; add --yes if you mean that');
    }
    const { reason } = values;
    const config = wholePolicy('pause', configFile(values.config, io));
    const edit = (contents: Contents): Change<PauseLine> =>
      pauseVendor(contents, { vendor, length, reason }, whoAsks(values.by), termsOf(config, Date.now()));
    const { exceptionsFile } = config;
    return carryOut({ json: values.json === true, what: 'pause', exceptionsFile, edit }, io);
  },
};

export const resume: Verb = {
  summary: 'Ends the pause of a vendor, or every pause, early',
  usage: 'resume VENDOR|--all [--by NAME] [--json] [-c FILE]',
  async run(args, io) {
    const { values, positionals } = parse({ args: [...args], options, allowPositionals: true });
    const vendor = vendorOf('resume', values.all, positionals);
    const { exceptionsFile, terms } = policyAtHand(configFile(values.config, io), io);
    const edit = (contents: Contents): Change<PauseLine> =>
      resumeVendor(contents, vendor, whoAsks(values.by), terms(Date.now()));
    return carryOut({ json: values.json === true, what: 'resume', exceptionsFile, edit }, io);
  },
};
