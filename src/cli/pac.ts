/** `sallyport pac`: prints the PAC file of the pages port, to be distributed by other means. */
import { pacFile, pacSettings } from '../admin/pac.ts';
import { settingsOf } from '../config/load.ts';
import { ConfigError } from '../errors.ts';
import { configFile, configOption, parse } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

function run(args: readonly string[], io: Io): ExitCode {
  const { values } = parse({ args: [...args], options: { ...configOption, json: { type: 'boolean' } } });
  const { listen, pages, proxyTls } = settingsOf(configFile(values.config, io));
  if (listen.proxy.port === 0) {
    throw new ConfigError('pac: listen.proxy has port 0, so the system chooses a port at each start; name one');
  }
  const settings = pacSettings(pages.url, listen.proxy.port, proxyTls);
  const text = pacFile(settings);
  if (values.json === true) io.out(JSON.stringify({ url: `${pages.url}/proxy.pac`, ...settings, text }, null, 2));
  else io.out(text.trimEnd());
  return 0;
}

export const pac: Verb = {
  summary: 'Prints the PAC file that the pages port serves',
  usage: 'pac [--json] [-c FILE]',
  run: (args, io) => Promise.resolve().then(() => run(args, io)),
};
