#!/usr/bin/env node
/** Maps arguments to commands, and results to exit codes. Only this file and `cli/` use the global `process`. */
import { setFlagsFromString } from 'node:v8';
import { keepSignals } from './cli/early-signals.ts';
import { meant, UsageError, type ExitCode, type Io, type Verb } from './cli/verb.ts';
import { version } from './cli/version.ts';
import { ConfigError } from './errors.ts';

if (process.argv[2] === 'serve') keepSignals();

/** Loaded on demand: most commands need only a part of the program, and start in half the time. */
const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  serve: async () => (await import('./cli/serve.ts')).serve,
  check: async () => (await import('./cli/check.ts')).check,
  explain: async () => (await import('./cli/explain.ts')).explain,
  simulate: async () => (await import('./cli/simulate.ts')).simulate,
  diff: async () => (await import('./cli/diff.ts')).diff,
  reload: async () => (await import('./cli/reload.ts')).reload,
  pac: async () => (await import('./cli/pac.ts')).pac,
  catalog: async () => (await import('./cli/catalog.ts')).catalog,
  ca: async () => (await import('./cli/ca.ts')).ca,
  doctor: async () => (await import('./cli/doctor.ts')).doctor,
  exceptions: async () => (await import('./cli/exceptions.ts')).exceptions,
  pause: async () => (await import('./cli/pause.ts')).pause,
  resume: async () => (await import('./cli/pause.ts')).resume,
  'hash-password': async () => (await import('./cli/hash-password.ts')).hash,
};

const whichFile = `FILE is the configuration: -c, else $SALLYPORT_CONFIG, else ./config/sallyport.yaml, else the bundled example.`;

async function help(): Promise<string> {
  const all = await Promise.all(Object.values(verbs).map((load) => load()));
  const lines = all.map((verb) => `  sallyport ${verb.usage}\n      ${verb.summary}`);
  return `Usage: sallyport COMMAND [OPTIONS]\n\n${lines.join('\n')}\n  sallyport --version\n\n${whichFile}\n\nExit codes: 0 success, 1 the answer is no, 2 wrong usage or unusable configuration.`;
}

async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [name, ...args] = argv;
  if (name === '--version' || name === '-V' || name === 'version') {
    io.out(`sallyport ${version()}, Node.js ${process.version}`);
    return 0;
  }
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.out(await help());
    return name === undefined ? 2 : 0;
  }
  const load = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (load === undefined) {
    throw new UsageError(
      `unknown command "${name}"; ${meant(name, Object.keys(verbs)) ?? '"sallyport help" lists them'}`,
    );
  }
  const verb = await load();
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

// If the first objects from an allocation site live long, V8 allocates later ones directly in the old generation, for
// example the `_events` of every socket. These then keep their listeners, and everything that listeners refer to, after
// the connection has closed, until the old generation is collected.
setFlagsFromString('--no-allocation-site-pretenuring');

// http-proxy calls a deprecated function of Node (DEP0060), and users cannot do anything about the warning.
process.removeAllListeners('warning');
process.on('warning', (warning: Error & { code?: string }) => {
  if (warning.code !== 'DEP0060') io.err(`sallyport: ${warning.name}: ${warning.message}`);
});

// The reader of standard output or error may disappear: `sallyport explain … | head`, a closed terminal, a restarting
// journal. Without a listener, each failed write would be an uncaught exception, which logs to the same standard error.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** Error codes of writes whose reader has disappeared. */
const left: ReadonlySet<unknown> = new Set(['EPIPE', 'EIO', 'ERR_STREAM_DESTROYED']);

// A command whose output is truncated, for example by a full disk, must fail. `serve` handles errors of its access log
// itself.
if (process.argv[2] !== 'serve') {
  const onFault = (error: NodeJS.ErrnoException): void => {
    if (left.has(error.code)) return;
    process.stdout.off('error', onFault);
    io.err(
      `sallyport: standard output cannot be written (${error.code ?? error.message}); what was to be there is not`,
    );
    // Not now, as the command may still set its own exit code.
    process.once('exit', (code) => (process.exitCode = Math.max(1, code)));
  };
  process.stdout.on('error', onFault);
}

try {
  process.exitCode = await run(process.argv.slice(2), io);
} catch (error) {
  if (!(error instanceof UsageError || error instanceof ConfigError)) throw error;
  io.err(`sallyport: ${error.message}`);
  process.exitCode = 2;
}
