/** `sallyport doctor`: checks the set-up of a proxy or of a client, and says how to fix what is wrong. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { resolve } from 'node:path';
import { faultOf, good, bad, skipped, warning, type Finding } from './doctor/finding.ts';
import { probe, reach, visitPages } from './doctor/network.ts';
import { proxyCertificate } from './doctor/proxy-certificate.ts';
import { examineServer } from './doctor/server.ts';
import { examineStores, runProgram } from './doctor/stores.ts';
import { configFile, configOption, parse, UsageError } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

interface ClientOptions {
  readonly proxy: string | undefined;
  readonly pages: string | undefined;
  readonly ca: string | undefined;
  readonly probe: string;
}

function urlOf(text: string, what: string): URL {
  try {
    const url = new URL(text.includes('://') ? text : `http://${text}`);
    if (url.hostname !== '') return url;
  } catch {
    // Reported below.
  }
  throw new UsageError(`"${text}" is not the address of ${what}`);
}

/** Programs read one spelling or the other. */
function environment(env: Io['env']): Finding {
  const check = 'environment';
  const [upper, lower] = [env['HTTPS_PROXY'] ?? '', env['https_proxy'] ?? ''];
  const cure =
    'set HTTPS_PROXY, https_proxy, HTTP_PROXY and http_proxy to http://HOST:PORT, for every user of this machine';
  if (upper === '' && lower === '')
    return warning(check, 'HTTPS_PROXY is not set: command-line tools bypass the proxy', cure);
  if (upper !== '' && lower !== '' && upper !== lower)
    return bad(check, 'HTTPS_PROXY and https_proxy name different proxies', cure);
  if (upper === '' || lower === '')
    return warning(
      check,
      `only ${upper === '' ? 'https_proxy' : 'HTTPS_PROXY'} is set; some programs read the other`,
      cure,
    );
  const around = `${env['NO_PROXY'] ?? ''},${env['no_proxy'] ?? ''}`.split(',').map((name) => name.trim());
  if (around.includes('*'))
    return bad(check, 'NO_PROXY is "*": nothing goes through the proxy', 'list individual domains in it');
  return good(check, 'HTTPS_PROXY and https_proxy name the proxy');
}

function readCa(file: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(file));
  } catch (error) {
    throw new UsageError(`${file}: it holds no readable certificate (${faultOf(error)})`);
  }
}

async function examineClient(options: ClientOptions, io: Io, now: number): Promise<readonly Finding[]> {
  const { env } = io;
  const named = options.proxy ?? (env['HTTPS_PROXY'] || env['https_proxy']);
  const surroundings = environment(env);
  if (named === undefined || named === '')
    return [surroundings, bad('proxy', 'no proxy is named', 'set HTTPS_PROXY, or name it with --proxy HOST:PORT')];
  const proxy = urlOf(named, 'a proxy');
  const pages = urlOf(options.pages ?? `http://${proxy.hostname}:8128`, 'the pages');
  const reached = await reach(proxy);
  if (reached.status === 'bad') return [surroundings, reached];
  const visited = await visitPages(pages, proxy, now);
  const own = options.ca === undefined ? null : readCa(resolve(io.cwd, options.ca));
  const ca = own ?? visited.ca;
  const stores =
    ca === null
      ? [skipped('trust', 'without the certificate of the proxy no store can be checked')]
      : await examineStores(ca, { env, home: env['HOME'] ?? homedir(), platform: platform(), run: runProgram });
  const differ =
    own !== null && visited.ca !== null && own.fingerprint256 !== visited.ca.fingerprint256
      ? [
          bad(
            'CA file',
            'the certificate in --ca is not the one that the proxy hands out',
            'download it again from the pages',
          ),
        ]
      : [];
  const proxyTls = proxy.protocol === 'https:' ? [await proxyCertificate(proxy, ca)] : [];
  // Credentials must not go to a proxy that cannot be trusted.
  const probed = proxyTls.some(({ status }) => status === 'bad')
    ? skipped('denied host', `${options.probe} was not requested: the certificate of the proxy is not valid`)
    : await probe(proxy, options.probe, ca);
  return [surroundings, reached, ...proxyTls, ...visited.findings, ...differ, probed, ...stores];
}

const marks = { good: 'ok  ', warning: 'WARN', bad: 'BAD ', skipped: '-   ' } as const;

function report(findings: readonly Finding[], json: boolean, io: Io): ExitCode {
  const ok = findings.every(({ status }) => status !== 'bad');
  if (json) io.out(JSON.stringify({ ok, findings }, null, 2));
  else {
    const width = Math.max(...findings.map(({ check }) => check.length));
    for (const { check, status, says, cure } of findings) {
      io.out(`${marks[status]}  ${check.padEnd(width)}  ${says}`);
      if (cure !== null) io.out(`${' '.repeat(width + 8)}-> ${cure}`);
    }
  }
  return ok ? 0 : 1;
}

const clientOnly = ['proxy', 'pages', 'ca', 'probe'] as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const text = { type: 'string' } as const;
  const { values } = parse({
    args: [...args],
    options: {
      ...configOption,
      json: { type: 'boolean' },
      client: { type: 'boolean' },
      proxy: text,
      pages: text,
      ca: text,
      probe: text,
      user: text,
    },
  });
  const json = values.json ?? false;
  if (values.client === true) {
    if (values.user !== undefined)
      throw new UsageError('--user works only on the machine of the proxy; leave out --client');
    const { proxy, pages, ca, probe: host = 'api.anthropic.com' } = values;
    return report(await examineClient({ proxy, pages, ca, probe: host }, io, Date.now()), json, io);
  }
  const misplaced = clientOnly.find((name) => values[name] !== undefined);
  if (misplaced !== undefined) throw new UsageError(`--${misplaced} is for a client's machine; add --client`);
  return report(await examineServer(configFile(values.config, io), Date.now(), values.user), json, io);
}

export const doctor: Verb = {
  summary:
    "Checks whether this machine (the proxy's, or with --client one that uses it) is set up correctly and says how to fix what is not",
  usage:
    'doctor [-c FILE] [--user NAME] [--client [--proxy HOST:PORT] [--pages URL] [--ca FILE] [--probe HOST]] [--json]',
  run,
};
