/** `sallyport explain`: what the policy does with a host, for a client at a time, and why. */
import { parseMoment, resolveMoment } from '../config/moment.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { compile } from '../decide/compile.ts';
import { consider } from '../decide/consider.ts';
import type { Considered } from '../decide/consider.ts';
import { decide } from '../decide/decide.ts';
import { indexHosts } from '../decide/match.ts';
import { ConfigError, SallyportError } from '../errors.ts';
import type { Action, Assistant, Decision, Question, Service, Target } from '../flow.ts';
import { indexMembers } from '../identify/members.ts';
import { indexServices } from '../identify/services.ts';
import { formatAuthority, parseAuthority, parseHost, parseUrl } from '../listen/target.ts';
import { configFile, configOption, parse, UsageError } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

/** What was asked on the command line. */
interface Asked {
  readonly target: Target;
  readonly moment: 'connect' | 'request';
  /** Path and query of a URL; null for a host. */
  readonly path: string | null;
  /** Null: a client in no group. */
  readonly address: string | null;
  readonly user: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** What is printed; with `--json` as it stands. */
interface Explained {
  /** What happens to a client that asks for this: for an https URL, at its CONNECT. */
  readonly effect: Decision['effect'];
  readonly action: Action['kind'];
  /** What it is, as far as all that was given tells; which moment knows how much of it is in `stages`. */
  readonly vendor: string | null;
  readonly product: string | null;
  readonly channel: string | null;
  /** The vendor that runs the host, where it is another than `vendor`. */
  readonly operator: string | null;
  /** Whose model answers, and what tells it; null for a host in no catalogue. */
  readonly model: KnownModel | null;
  readonly rule: string;
  readonly reason: string;
  readonly assistant: Assistant | null;
  readonly host: string;
  readonly port: number;
  readonly client: { readonly address: string | null; readonly user: string | null };
  readonly groups: readonly string[];
  readonly at: string;
  /** What is known at each moment, and what the policy makes of it: more is known of a request that is read. */
  readonly stages: readonly Stage[];
  readonly considered: readonly Considered[];
}

interface KnownModel {
  readonly vendor: string | null;
  readonly by: NonNullable<Service['modelBy']>;
}

interface Stage {
  readonly moment: Question['moment'];
  readonly effect: Decision['effect'];
  readonly rule: string;
  readonly vendor: string | null;
  readonly product: string | null;
  readonly channel: string | null;
  readonly model: KnownModel | null;
  /** In words. */
  readonly known: string;
}

const addressBare = /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*$/i;

/** A browser or client asks for an https URL and for a bare host by CONNECT; an http URL is a request that is read. */
function readTarget(text: string): Pick<Asked, 'target' | 'moment' | 'path'> {
  if (text.includes('://')) {
    const { scheme, target, path } = parseUrl(text);
    return { target, path, moment: scheme === 'https' ? 'connect' : 'request' };
  }
  // Unambiguous without brackets only because it has no port.
  if (addressBare.test(text)) return { target: { ...parseHost(text), port: 443 }, path: null, moment: 'connect' };
  return { target: parseAuthority(text, 443), path: null, moment: 'connect' };
}

/** Runs a parser whose complaint is one about the command line. */
function used<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SallyportError || error instanceof ConfigError)) throw error;
    throw new UsageError(`explain: ${what}: ${error.message}`, { cause: error });
  }
}

function readClient(text: string): string {
  const { host, kind } = parseHost(text);
  if (kind === 'name') throw new ConfigError(`"${text}" is no IP address; write one such as 10.0.0.7 or fd00::7`);
  return host;
}

/** A product whose file says nothing of models has its vendor's own. */
function modelOf(service: Service | null): KnownModel | null {
  if (service === null) return null;
  const { vendor, model = vendor, modelBy = 'host' } = service;
  return { vendor: model, by: modelBy };
}

const told = {
  host: 'the host',
  path: 'the path',
  header: 'a header',
  body: 'the body',
  nothing: 'nothing in the request',
} as const satisfies Record<KnownModel['by'], string>;

function inWords(moment: Question['moment'], service: Service | null): string {
  const seen = moment === 'connect' ? 'the host alone' : 'the request';
  if (service === null) return `${seen} is in no catalogue`;
  const { vendor, product } = service;
  const model = modelOf(service);
  const maker =
    model?.vendor ??
    `unknown: ${told[model?.by ?? 'nothing']} tells it${moment === 'connect' ? ' once it is read' : ''}`;
  return `${seen} tells ${vendor}/${product}; whose model answers: ${maker}`;
}

function answer(config: Config, { target, moment, path, address, user, at }: Asked): Explained {
  const policy = compile(config.policy);
  const services = indexServices(config.vendors, indexHosts);
  const groups = indexMembers(config.policy)(address ?? '', user);
  const ask = (asked: Asked['moment']): Question => ({
    moment: asked,
    client: { address: address ?? '', user, groups },
    target,
    service: services(target.host, asked === 'request' ? path : null),
    serverName: null,
    navigation: false,
    denied: null,
  });
  const stage = (asked: Asked['moment']): Stage => {
    const question = ask(asked);
    const { effect, rule } = decide(policy, question, at).decision;
    const { service } = question;
    const { vendor = null, product = null, channel = null } = service ?? {};
    const known = inWords(asked, service);
    return { moment: asked, effect, rule, vendor, product, channel, model: modelOf(service), known };
  };
  const question = ask(moment);
  const service = path === null ? question.service : ask('request').service;
  const { decision, action } = decide(policy, question, at);
  return {
    effect: decision.effect,
    action: action.kind,
    vendor: service?.vendor ?? null,
    product: service?.product ?? null,
    channel: service?.channel ?? null,
    operator: service?.operator ?? null,
    model: modelOf(service),
    rule: decision.rule,
    reason: decision.reason,
    assistant: decision.effect === 'deny' ? decision.denial.assistant : null,
    host: target.host,
    port: target.port,
    client: { address, user },
    groups: [...groups],
    at: new Date(at).toISOString(),
    stages: moment === 'connect' && path !== null ? [stage('connect'), stage('request')] : [stage(moment)],
    considered: consider(policy, question, at),
  };
}

const actions: Readonly<Record<Action['kind'], string>> = {
  tunnel: 'tunnel, untouched',
  listen: 'wait for the name in the TLS hello, and judge that; without a name the above holds',
  intercept: 'end TLS here and answer the client in its own language',
  refuse: 'answer the CONNECT with 403',
  reset: 'reset the connection',
  forward: 'forward',
  block: 'answer the request with the denial',
  redirect: '303 to the assistant',
};

/** Only where the model is not simply the vendor's own, or a later moment knows more. */
function modelLines({ vendor, operator, model, stages }: Explained): string[] {
  const [first, inside] = stages;
  const more =
    inside !== undefined && (inside.vendor !== first?.vendor || inside.model?.vendor !== first.model?.vendor);
  return [
    ...(operator === null ? [] : [`  run by     ${operator}`]),
    ...(model === null || model.vendor === vendor ? [] : [`  model      ${model.vendor ?? 'unknown'}, by ${model.by}`]),
    ...(more || (model !== null && model.vendor === null) ? [`  first      ${first?.known ?? ''}`] : []),
    ...(more ? [`  inside     ${inside.known}, which is ${inside.effect} by ${inside.rule}`] : []),
  ];
}

function lines(shown: Explained, target: Target): string[] {
  const { vendor, product, channel, assistant, client, groups } = shown;
  const service = vendor === null ? 'in no catalogue' : `${vendor}/${product ?? ''}, ${channel ?? ''}`;
  const who = [client.address ?? 'any client', ...(client.user === null ? [] : [`user ${client.user}`])];
  const inGroups = groups.length === 0 ? 'in no group' : `in ${groups.join(', ')}`;
  return [
    `${shown.effect}  ${formatAuthority(target)}  (${service})`,
    `  rule       ${shown.rule}`,
    `  reason     ${shown.reason}`,
    `  action     ${actions[shown.action]}`,
    ...(assistant === null ? [] : [`  assistant  ${assistant.name}, ${assistant.url}`]),
    ...modelLines(shown),
    `  client     ${[...who, inGroups].join(', ')}`,
    `  at         ${shown.at}`,
    'considered:',
    ...shown.considered.map(
      ({ verdict, kind, id, effect, why }) => `  ${verdict.padEnd(4)}  ${kind} ${id} (${effect}): ${why}`,
    ),
  ];
}

function run(args: readonly string[], io: Io): ExitCode {
  const { values, positionals } = parse({
    args: [...args],
    allowPositionals: true,
    options: {
      ...configOption,
      client: { type: 'string' },
      user: { type: 'string' },
      at: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const [text, ...more] = positionals;
  if (text === undefined) throw new UsageError('explain: name a URL or a host, such as https://claude.ai/');
  if (more.length > 0) throw new UsageError(`explain: one URL or host at a time, but there is "${more.join(' ')}" too`);
  const { client, at } = values;
  const target = used('the target', () => readTarget(text));
  const address = client === undefined ? null : used('--client', () => readClient(client));
  const moment = at === undefined ? null : used('--at', () => parseMoment(at));
  const config = loadConfig(configFile(values.config, io));
  // A day begins when it does in the policy.
  const now = moment === null ? Date.now() : resolveMoment(moment, config.policy.timeZone ?? 'UTC');
  const asked: Asked = { ...target, address, user: values.user ?? null, at: now };
  const shown = answer(config, asked);
  if (values.json === true) io.out(JSON.stringify(shown, null, 2));
  else lines(shown, asked.target).forEach((line) => io.out(line));
  return shown.effect === 'deny' ? 1 : 0;
}

export const explain: Verb = {
  summary: 'Says what the policy does with a host and why; exits with 0 where it lets through, with 1 where it denies',
  usage: 'explain URL-or-HOST [--client IP] [--user NAME] [--at TIME] [--json] [-c FILE]',
  run: (args, io) => Promise.resolve().then(() => run(args, io)),
};
