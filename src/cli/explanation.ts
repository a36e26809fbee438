/** Explains what the policy does with one request, deciding as the proxy would. */
import { fallBack, type TunnelPorts } from '../act/fall-back.ts';
import { assistantAt } from '../config/assistant-host.ts';
import type { Config } from '../config/schema.ts';
import { compile } from '../decide/compile.ts';
import type { Policy } from '../decide/compile.ts';
import { consider } from '../decide/consider.ts';
import type { Considered } from '../decide/consider.ts';
import { decide } from '../decide/decide.ts';
import { isFor } from '../decide/entry.ts';
import { indexHosts } from '../decide/match.ts';
import type { DomainSets } from '../decide/near.ts';
import { nextChangeOf } from '../decide/schedule.ts';
import type { Timed } from '../decide/schedule.ts';
import type { Action, Assistant, Decision, Question, Service, Target } from '../flow.ts';
import { membersOf } from '../identify/named-clients.ts';
import { indexServices } from '../identify/services.ts';
import type { FindService } from '../identify/services.ts';

/** The question on the command line. */
export interface Asked {
  readonly target: Target;
  readonly moment: 'connect' | 'request';
  /** Path and query of a URL; null for a host. */
  readonly path: string | null;
  /** Null: a client in no group. */
  readonly address: string | null;
  readonly user: string | null;
  /** Group names from a trusted proxy; left out: it sends none. */
  readonly forwarded?: readonly string[];
  /** Further groups and sites of the client. */
  readonly groups?: readonly string[];
  /** Epoch milliseconds. */
  readonly at: number;
}

/** The output; `--json` prints it unchanged. */
export interface Explained {
  /** What happens to the client; for an https URL, at its CONNECT. */
  readonly effect: Decision['effect'];
  readonly action: Action['kind'];
  /** The service according to everything given; `stages` says what is known at which moment. */
  readonly vendor: string | null;
  readonly product: string | null;
  readonly channel: string | null;
  /** The vendor that runs the host, if it is not `vendor`. */
  readonly operator: string | null;
  /** Whose model answers, and how that is known; null for a host that is not in the catalogue. */
  readonly model: KnownModel | null;
  readonly rule: string;
  /** The exception that allows it, or the pause without which `rule` would deny it. */
  readonly exception: string | null;
  readonly reason: string;
  readonly assistant: Assistant | null;
  /** For a denial: where to request access, a longer explanation, the owner. */
  readonly link: string | null;
  readonly details: string | null;
  readonly owner: string | null;
  readonly host: string;
  readonly port: number;
  readonly client: {
    readonly address: string | null;
    readonly user: string | null;
    readonly forwarded: readonly string[];
  };
  readonly groups: readonly string[];
  readonly at: string;
  /** What is known at each moment, and the decision then: a request reveals more than a CONNECT. */
  readonly stages: readonly Stage[];
  readonly considered: readonly Considered[];
  /** The next changes of the answer, at most ten. */
  readonly changes: readonly Change[];
}

export interface Change {
  readonly at: string;
  readonly effect: Decision['effect'];
  readonly rule: string;
  readonly reason: string;
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
  /** Description of what is known. */
  readonly known: string;
}

/** Without a statement about models, a product has its vendor's. */
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

/** Whose model answers, or how that would become known. */
export function makerOf({ vendor, by }: KnownModel): string {
  return vendor === null ? `unknown: ${told[by]} tells it` : `${vendor}, by ${by}`;
}

function inWords(moment: Question['moment'], service: Service | null): string {
  const seen = moment === 'connect' ? 'the host alone' : 'the request';
  if (service === null) return `${seen} is not in the catalogue`;
  const { vendor, product } = service;
  const model = modelOf(service);
  const maker =
    model?.vendor ??
    `unknown: ${told[model?.by ?? 'nothing']} tells it${moment === 'connect' ? ' once it is read' : ''}`;
  return `${seen} identifies ${vendor}/${product}; whose model answers: ${maker}`;
}

const MOST_CHANGES = 10;
/** Maximum number of moments examined, as a window need not change the answer. */
const MOST_LOOKS = 2_000;

/** The moments at which an entry begins or ends, in order. */
function* moments(entries: readonly Timed[], from: number): Generator<number> {
  const next = entries.map((entry) => ({ entry, at: nextChangeOf(entry, from) ?? Infinity }));
  for (;;) {
    const at = next.reduce((least, one) => Math.min(least, one.at), Infinity);
    if (at === Infinity) return;
    yield at;
    for (const one of next) if (one.at === at) one.at = nextChangeOf(one.entry, at) ?? Infinity;
  }
}

/** How the answer changes with time. */
function changesOf(policy: Policy, question: Question, considered: readonly Considered[], from: number): Change[] {
  const ids = new Set(considered.map(({ id }) => id));
  const { rules, exceptions, pauses = [] } = policy.document;
  const about = [
    // An entry that is yet to begin was not considered.
    ...pauses,
    ...[...rules, ...exceptions].filter(
      ({ id, groups = null, sites = null }) => ids.has(id) && isFor({ groups, sites }, question.client),
    ),
  ];
  const changes: Change[] = [];
  let before = decide(policy, question, from).decision;
  let looks = 0;
  for (const at of moments(about, from)) {
    const { decision } = decide(policy, question, at);
    const { effect, rule, reason } = decision;
    if (effect !== before.effect || rule !== before.rule) {
      changes.push({ at: new Date(at).toISOString(), effect, rule, reason });
    }
    before = decision;
    looks += 1;
    if (changes.length === MOST_CHANGES || looks === MOST_LOOKS) break;
  }
  return changes;
}

type Judged = Pick<Config, 'policy' | 'vendors'>;

/** The compiled parts that answer questions about a configuration. */
function compiled({ policy: document, vendors }: Judged, sets?: DomainSets) {
  const services = indexServices(vendors, indexHosts);
  const policy = compile(document, sets, ({ url }) => {
    const host = assistantAt(url)?.target.host;
    return host === undefined ? null : { host, service: services(host) };
  });
  return { policy, services };
}

function questionOf(
  services: FindService,
  groups: ReadonlySet<string>,
  { target, path, address, user }: Asked,
  moment: Asked['moment'],
): Question {
  return {
    moment,
    client: { address: address ?? '', user, groups },
    target,
    service: services(target.host, moment === 'request' ? path : null),
    serverName: null,
    navigation: false,
    denied: null,
  };
}

/**
 * Prepares explanations for a configuration.
 *
 * @param sets the external lists of the policy.
 */
export function createExplainer(
  config: Judged & Pick<Config, 'tunnels'>,
  sets?: DomainSets,
): (asked: Asked) => Explained {
  const { policy, services } = compiled(config, sets);
  const members = membersOf(config.policy);
  return (asked) => {
    const { address, user, forwarded, groups = [] } = asked;
    const own = members(address ?? '', user, forwarded);
    return explained(policy, services, config.tunnels, new Set([...own, ...groups]), asked);
  };
}

/** As {@link createExplainer}, but faster: only the decision, for clients in exactly the given groups. */
export function createDecider(config: Judged, sets?: DomainSets): (asked: Asked) => Decision {
  const { policy, services } = compiled(config, sets);
  return (asked) => {
    const question = questionOf(services, new Set(asked.groups), asked, asked.moment);
    return decide(policy, question, asked.at).decision;
  };
}

function explained(
  policy: Policy,
  services: FindService,
  ports: TunnelPorts,
  groups: ReadonlySet<string>,
  asked: Asked,
): Explained {
  const { target, moment, path, address, user, forwarded = [], at } = asked;
  const ask = (when: Asked['moment']): Question => questionOf(services, groups, asked, when);
  const stage = (when: Asked['moment']): Stage => {
    const question = ask(when);
    const { effect, rule } = decide(policy, question, at).decision;
    const { service } = question;
    const { vendor = null, product = null, channel = null } = service ?? {};
    const known = inWords(when, service);
    return { moment: when, effect, rule, vendor, product, channel, model: modelOf(service), known };
  };
  const question = ask(moment);
  const service = path === null ? question.service : ask('request').service;
  const { decision, action } = decide(policy, question, at);
  const considered = consider(policy, question, at);
  const denial = decision.effect === 'deny' ? decision.denial : null;
  return {
    effect: decision.effect,
    // Only a running proxy knows which clients reject our leaves.
    action: fallBack(action, question, () => false, ports).kind,
    vendor: service?.vendor ?? null,
    product: service?.product ?? null,
    channel: service?.channel ?? null,
    operator: service?.operator ?? null,
    model: modelOf(service),
    rule: decision.rule,
    exception: decision.effect === 'deny' ? null : (decision.exception ?? null),
    reason: decision.reason,
    assistant: denial?.assistant ?? null,
    link: denial?.link ?? null,
    details: denial?.details ?? null,
    owner: denial?.owner ?? null,
    host: target.host,
    port: target.port,
    client: { address, user, forwarded },
    groups: [...groups],
    at: new Date(at).toISOString(),
    stages: moment === 'connect' && path !== null ? [stage('connect'), stage('request')] : [stage(moment)],
    considered,
    changes: changesOf(policy, question, considered, at),
  };
}
