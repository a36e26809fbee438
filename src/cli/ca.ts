/** `sallyport ca`: shows the certificate authority, exports its certificate, and creates one if there is none. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { doubtLine, findAuthority, openAuthority, validityFault } from '../certificates/authority.ts';
import type { Authority, AuthorityOptions } from '../certificates/authority.ts';
import { counted } from '../config/counted.ts';
import { settingsOf } from '../config/load.ts';
import { configFile, configOption, parse, UsageError } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

const day = 86_400_000;

interface Given {
  readonly options: AuthorityOptions;
  readonly json: boolean;
  readonly out: string | null;
  readonly force: boolean;
}

function facts(authority: Authority, now: number) {
  const fault = validityFault(authority, now);
  return {
    source: authority.source,
    subject: authority.subject,
    fingerprint: authority.fingerprint,
    anchor: { subject: authority.anchor.subject, fingerprint: authority.anchor.fingerprint },
    notBefore: new Date(authority.notBefore).toISOString(),
    notAfter: new Date(authority.notAfter).toISOString(),
    daysLeft: Math.floor((authority.notAfter - now) / day),
    valid: fault === null,
    fault,
    doubt: authority.doubt?.says ?? null,
    certificateFile: authority.certFile,
    keyFile: authority.keyFile,
  };
}

function print(authority: Authority, now: number, io: Io): void {
  const shown = facts(authority, now);
  io.out(`subject      ${shown.subject}`);
  io.out(`SHA-256      ${shown.fingerprint}`);
  if (shown.anchor.fingerprint !== shown.fingerprint) {
    io.out(`trusted as   ${shown.anchor.subject}`);
    io.out(`SHA-256      ${shown.anchor.fingerprint}`);
  }
  io.out(
    `valid        ${shown.notBefore.slice(0, 10)} to ${shown.notAfter.slice(0, 10)}, ${counted(shown.daysLeft, 'day')} left`,
  );
  io.out(`certificate  ${shown.certificateFile}`);
  io.out(`key          ${shown.keyFile}`);
}

/** Complaints go to standard error; the exit code says whether the proxy could sign. */
function verdict(authority: Authority, now: number, io: Io): ExitCode {
  const doubt = doubtLine(authority);
  if (doubt !== null) io.err(`warning: ${doubt}`);
  const fault = validityFault(authority, now);
  if (fault === null) return 0;
  io.err(`${authority.certFile}: ${fault}`);
  return 1;
}

function none(given: Given, io: Io): ExitCode {
  if (given.json) io.out('null');
  io.err(`${given.options.dir}: there is no certificate authority yet: run "sallyport ca init"`);
  return 1;
}

async function show(given: Given, io: Io): Promise<ExitCode> {
  const now = given.options.now();
  const authority = await findAuthority(given.options);
  if (authority === null) return none(given, io);
  if (given.json) io.out(JSON.stringify(facts(authority, now), null, 2));
  else print(authority, now, io);
  return verdict(authority, now, io);
}

async function exportCertificate(given: Given, io: Io): Promise<ExitCode> {
  const authority = await findAuthority(given.options);
  if (authority === null) return none(given, io);
  const { pem } = authority.anchor;
  if (given.out === null) {
    io.out(pem.trimEnd());
    return 0;
  }
  try {
    await writeFile(given.out, pem, { flag: given.force ? 'w' : 'wx' });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const cure =
      code === 'EEXIST' ? 'the file exists already: add --force to replace it' : `cannot be written (${code})`;
    io.err(`${given.out}: ${cure}`);
    return 1;
  }
  io.err(`${given.out}: ${authority.anchor.subject}, SHA-256 ${authority.anchor.fingerprint}`);
  return 0;
}

const said: Readonly<Record<Authority['source'], string>> = {
  made: 'made a certificate authority',
  found: 'there is a certificate authority already; nothing was changed',
  brought: 'the configuration names its own certificate authority; nothing was made',
};

async function init(given: Given, io: Io): Promise<ExitCode> {
  const { options } = given;
  const authority = (await findAuthority(options)) ?? (await openAuthority(options));
  if (given.json) io.out(JSON.stringify(facts(authority, options.now()), null, 2));
  else {
    io.out(said[authority.source]);
    print(authority, options.now(), io);
  }
  return verdict(authority, options.now(), io);
}

const actions: Readonly<Record<string, (given: Given, io: Io) => Promise<ExitCode>>> = {
  show,
  export: exportCertificate,
  init,
};

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parse({
    args: [...args],
    allowPositionals: true,
    options: {
      ...configOption,
      json: { type: 'boolean' },
      out: { type: 'string' },
      force: { type: 'boolean' },
    },
  });
  const [name = 'show', ...more] = positionals;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined || more.length > 0) {
    throw new UsageError(`ca: "${positionals.join(' ')}" is not show, export or init`);
  }
  if (name !== 'export' && (values.out !== undefined || values.force === true)) {
    throw new UsageError(`ca ${name}: --out and --force belong to "ca export"`);
  }
  if (name === 'export' && values.json === true)
    throw new UsageError('ca export: it prints PEM; --json is for the other actions');
  const { dir, keyType, organisation, authority } = settingsOf(configFile(values.config, io)).certificates;
  const given: Given = {
    options: { dir, keyType, organisation, now: Date.now, own: authority },
    json: values.json ?? false,
    out: values.out === undefined ? null : resolve(io.cwd, values.out),
    force: values.force ?? false,
  };
  return action(given, io);
}

export const ca: Verb = {
  summary: 'Shows the certificate authority, exports its certificate, or makes one',
  usage: 'ca [show | export [--out FILE] [--force] | init] [-c FILE] [--json]',
  run,
};
