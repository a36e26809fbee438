/** `sallyport explain`: what the policy does with a host for a client at some time, and why. */
import { isIP } from 'node:net';
import { parseMoment, resolveMoment } from '../config/moment.ts';
import { ConfigError, SallyportError } from '../errors.ts';
import type { Action, Target } from '../flow.ts';
import { formatAuthority, parseAuthority, parseHost, parseUrl } from '../listen/target.ts';
import { listsOnDisk, warnOf } from './domain-sets.ts';
import { checkGroups, doubts, readForwarded } from './explain-doubts.ts';
import { createExplainer, makerOf } from './explanation.ts';
import type { Asked, Explained } from './explanation.ts';
import { chosenConfig, chosenOptions } from './chosen-config.ts';
import { prohibited, type Prohibited } from './prohibited.ts';
import { parse, UsageError } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

const addressBare = /^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*$/i;

/** An https URL or a bare host means a CONNECT; an http URL means a request that is read. */
function readTarget(text: string): Pick<Asked, 'target' | 'moment' | 'path'> {
  if (text.includes('://')) {
    if (!/^https?:/i.test(text)) throw new ConfigError(`"${text}" is not a web URL; begin it with http:// or https://`);
    // A copied URL may have a fragment, which browsers do not send.
    const { scheme, target, path } = parseUrl(text.replace(/#.*/, ''));
    return { target, path, moment: scheme === 'https' ? 'connect' : 'request' };
  }
  // Without brackets an IPv6 address is unambiguous only because it has no port.
  if (addressBare.test(text)) return { target: { ...parseHost(text), port: 443 }, path: null, moment: 'connect' };
  return { target: parseAuthority(text, 443), path: null, moment: 'connect' };
}

/** Runs a parser and reports its error as a usage error. */
function used<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SallyportError || error instanceof ConfigError)) throw error;
    throw new UsageError(`explain: ${what}: ${error.message}`, { cause: error });
  }
}

function readClient(text: string): string {
  const address = text.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 0)
    throw new ConfigError(`"${text}" is not an IP address; write one such as 10.0.0.7 or fd00::7`);
  return parseHost(address).host;
}

const actions: Readonly<Record<Action['kind'], string>> = {
  tunnel: 'tunnel, untouched',
  listen: 'wait for the name in the TLS hello and judge that; without a name, the decision above holds',
  intercept: 'end TLS here and answer the client in its own language',
  refuse: 'answer the CONNECT with 403',
  reset: 'reset the connection',
  forward: 'forward',
  block: 'answer the request with the denial',
  redirect: '303 to the assistant',
};

/** Only if the model is not simply the vendor's own, or if a later moment knows more. */
function modelLines({ vendor, operator, model, stages }: Explained): string[] {
  const [first, inside] = stages;
  const more =
    inside !== undefined && (inside.vendor !== first?.vendor || inside.model?.vendor !== first.model?.vendor);
  return [
    ...(operator === null ? [] : [`  run by     ${operator}`]),
    ...(model === null || model.vendor === vendor ? [] : [`  model      ${makerOf(model)}`]),
    ...(more || (model !== null && model.vendor === null) ? [`  first      ${first?.known ?? ''}`] : []),
    ...(more ? [`  inside     ${inside.known}, which is ${inside.effect} by ${inside.rule}`] : []),
  ];
}

function lines(shown: Explained, target: Target, barred: Prohibited | null): string[] {
  const { vendor, product, channel, assistant, client, groups, exception } = shown;
  const service = vendor === null ? 'not in the catalogue' : `${vendor}/${product ?? ''}, ${channel ?? ''}`;
  const who = [
    client.address ?? 'any client',
    ...(client.user === null ? [] : [`user ${client.user}`]),
    ...(client.forwarded.length === 0 ? [] : [`forwarded as ${client.forwarded.join(' and ')}`]),
  ];
  const inGroups = groups.length === 0 ? 'in no group' : `in ${groups.join(', ')}`;
  return [
    `${barred === null ? shown.effect : 'prohibited'}  ${formatAuthority(target)}  (${service})`,
    ...(barred === null
      ? []
      : [`  outbound   403 ${barred.code}, whatever the policy allows: ${barred.why}; ${barred.cure}`]),
    `  rule       ${shown.rule}`,
    ...(exception === null || exception === shown.rule ? [] : [`  lifted by  the pause ${exception}`]),
    `  reason     ${shown.reason}`,
    ...(barred === null ? [`  action     ${actions[shown.action]}`] : []),
    ...(assistant === null ? [] : [`  assistant  ${assistant.name}, ${assistant.url}`]),
    ...(shown.owner === null ? [] : [`  owner      ${shown.owner}`]),
    ...(shown.details === null ? [] : [`  details    ${shown.details}`]),
    ...(shown.link === null ? [] : [`  ask        ${shown.link}`]),
    ...modelLines(shown),
    `  client     ${[...who, inGroups].join(', ')}`,
    `  at         ${shown.at}`,
    'considered:',
    ...shown.considered.map(
      ({ verdict, kind, id, effect, why }) => `  ${verdict.padEnd(4)}  ${kind} ${id} (${effect}): ${why}`,
    ),
    ...changeLines(shown),
  ];
}

function changeLines({ changes }: Explained): string[] {
  if (changes.length === 0) return ['changes: none, as the policy stands'];
  return ['changes:', ...changes.map(({ at, effect, rule, reason }) => `  ${at}  ${effect} by ${rule}: ${reason}`)];
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = parse({
    args: [...args],
    allowPositionals: true,
    options: {
      ...chosenOptions,
      client: { type: 'string' },
      user: { type: 'string' },
      forwarded: { type: 'string', multiple: true },
      group: { type: 'string', multiple: true },
      at: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const [text, ...more] = positionals;
  if (text === undefined) throw new UsageError('explain: name a URL or a host, such as https://claude.ai/');
  if (more.length > 0)
    throw new UsageError(`explain: it takes one URL or host; unexpected argument "${more.join(' ')}"`);
  const { client, at } = values;
  const target = used('the target', () => readTarget(text));
  const address = client === undefined ? null : used('--client', () => readClient(client));
  const moment = at === undefined || at === 'now' ? null : used('--at', () => parseMoment(at));
  const config = chosenConfig(values, io);
  const forwarded = (values.forwarded ?? []).flatMap((word) => readForwarded(config.policy, word));
  const groups = used('--group', () =>
    checkGroups(
      config.policy,
      (values.group ?? []).flatMap((word) => word.split(',')),
    ),
  );
  // A day begins at midnight in the policy's time zone.
  const now = moment === null ? Date.now() : resolveMoment(moment, config.policy.timeZone ?? 'UTC');
  const asked: Asked = { ...target, address, user: values.user ?? null, forwarded, groups, at: now };
  for (const warning of doubts(config, asked)) io.err(`warning: ${warning}`);
  const lists = await listsOnDisk(config.policy);
  warnOf([lists], io.err);
  const shown = createExplainer(config, lists.sets)(asked);
  // A denied target is not dialled.
  const barred = shown.effect === 'deny' ? null : prohibited(config, asked.target);
  if (values.json === true) io.out(JSON.stringify({ ...shown, prohibited: barred }, null, 2));
  else lines(shown, asked.target, barred).forEach((line) => io.out(line));
  return shown.effect === 'deny' || barred !== null ? 1 : 0;
}

export const explain: Verb = {
  summary: 'Says what the policy does with a host and why; exits with 0 if it is let through, with 1 if it is denied',
  usage:
    'explain URL-or-HOST [--client IP] [--user NAME] [--group ID]... [--forwarded NAME]... [--at now|TIME] [--json] [-c FILE] [--policy FILE]',
  run,
};
