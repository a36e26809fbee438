#!/usr/bin/env node
/** argv to a command; exit codes. One of the two places, with `cli/`, that touch `process`. */
import { setFlagsFromString } from 'node:v8';
import { ca } from './cli/ca.ts';
import { catalog } from './cli/catalog.ts';
import { check } from './cli/check.ts';
import { diff } from './cli/diff.ts';
import { doctor } from './cli/doctor.ts';
import { exceptions } from './cli/exceptions.ts';
import { hash } from './cli/hash-password.ts';
import { explain } from './cli/explain.ts';
import { pac } from './cli/pac.ts';
import { pause, resume } from './cli/pause.ts';
import { reload } from './cli/reload.ts';
import { serve } from './cli/serve.ts';
import { simulate } from './cli/simulate.ts';
import { meant, UsageError, type ExitCode, type Io, type Verb } from './cli/verb.ts';
import { version } from './cli/version.ts';
import { ConfigError } from './errors.ts';

const verbs: Readonly<Record<string, Verb>> = {
  serve,
  check,
  explain,
  simulate,
  diff,
  reload,
  pac,
  catalog,
  ca,
  doctor,
  exceptions,
  pause,
  resume,
  'hash-password': hash,
};

function help(): string {
  const lines = Object.values(verbs).map((verb) => `  sallyport ${verb.usage}\n      ${verb.summary}`);
  return `Usage: sallyport COMMAND [OPTIONS]\n\n${lines.join('\n')}\n  sallyport --version\n\nExit codes: 0 good, 1 the answer is no, 2 wrong use or unusable configuration.`;
}

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [name, ...args] = argv;
  if (name === '--version' || name === '-V' || name === 'version') {
    io.out(`sallyport ${version()}, Node.js ${process.version}`);
    return 0;
  }
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.out(help());
    return name === undefined ? 2 : 0;
  }
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb === undefined) {
    throw new UsageError(
      `unknown command "${name}"; ${meant(name, Object.keys(verbs)) ?? '"sallyport help" lists them'}`,
    );
  }
  if (args.includes('--help') || args.includes('-h')) {
    io.out(`Usage: sallyport ${verb.usage}\n\n${verb.summary}`);
    return 0;
  }
  return verb.run(args, io);
}

const io: Io = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  env: process.env,
  cwd: process.cwd(),
  get stdin() {
    return process.stdin;
  },
  progress: process.stderr.isTTY ? (line) => void process.stderr.write(`\r${line}\x1b[K`) : undefined,
};

// V8 takes objects of a kind that lived long once (at the start, when little is there) for long-lived from then on, and has
// them in the old generation from their beginning: `_events` of each socket among them. Listeners, and all that they know
// of their connection, then outlive it until the old generation is collected.
setFlagsFromString('--no-allocation-site-pretenuring');

// http-proxy calls a deprecated function of Node once for each process; nobody here can act on that.
process.removeAllListeners('warning');
process.on('warning', (warning: Error & { code?: string }) => {
  if (warning.code !== 'DEP0060') io.err(`sallyport: ${warning.name}: ${warning.message}`);
});

// `sallyport explain … | head` closes the pipe early; that is no error.
process.stdout.on('error', () => undefined);

try {
  process.exitCode = await run(process.argv.slice(2), io);
} catch (error) {
  if (!(error instanceof UsageError || error instanceof ConfigError)) throw error;
  io.err(`sallyport: ${error.message}`);
  process.exitCode = 2;
}
