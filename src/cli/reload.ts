/** `sallyport reload`: makes the running proxy reload its configuration, and reports the result. */
import { settingsOf } from '../config/load.ts';
import { callApi, reasonOf } from './admin-api.ts';
import { configFile, configOption, parse, UsageError, type ExitCode, type Io, type Verb } from './verb.ts';

interface Reloaded {
  readonly policy: string;
  /** Missing from a proxy of an earlier version. */
  readonly needsRestart?: readonly string[];
}

function tell({ policy, needsRestart = [] }: Reloaded, io: Io): void {
  io.out(`reloaded: policy ${policy}`);
  if (needsRestart.length > 0)
    io.err(`warning: ${needsRestart.join(', ')}: changed, but needs a restart to take effect`);
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parse({
    args: [...args],
    options: { ...configOption, json: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (positionals[0] !== undefined) throw new UsageError(`reload takes no argument, but got "${positionals[0]}"`);
  const settings = settingsOf(configFile(values.config, io));
  const answer = await callApi(settings, 'POST', 'reload');
  const good = answer.status === 200;
  if (values.json === true) io.out(JSON.stringify(answer.body, null, 2));
  else if (good) tell(answer.body as Reloaded, io);
  else io.err(`sallyport: not reloaded, the old policy stays: ${reasonOf(answer, settings.admin)}`);
  return good ? 0 : 1;
}

export const reload: Verb = {
  summary: 'Tells the running proxy to read its configuration again; exits with 1 if the old policy stays',
  usage: 'reload [-c FILE] [--json]',
  run,
};
