/** Policies and questions with only what a test is about spelt out. */
import type {
  Denial,
  Exception,
  HostKind,
  Hostname,
  Pause,
  PolicyDocument,
  Question,
  Rule,
  Service,
} from '../../src/flow.ts';

export const day = 86_400_000;
/** 10 July 2026, midnight UTC. */
export const now = Date.UTC(2026, 6, 10);

const base = { kind: 'chat', channel: 'direct', wire: 'none', role: 'app' } as const;
export const services: Readonly<Record<string, Service>> = {
  'claude.ai': {
    ...base,
    vendor: 'anthropic',
    vendorName: 'Anthropic',
    product: 'claude',
    productName: 'Claude',
    wire: 'anthropic',
    tags: ['maker', 'assistant'],
  },
  'chatgpt.com': {
    ...base,
    vendor: 'openai',
    vendorName: 'OpenAI',
    product: 'chatgpt',
    productName: 'ChatGPT',
    tags: ['maker'],
  },
  'relay.test': {
    ...base,
    vendor: 'relay',
    vendorName: 'Relay',
    product: 'gateway',
    productName: 'Relay',
    channel: 'reseller',
    tags: ['relay', 'assistant'],
  },
};

export function serviceAt(host: string): Service | null {
  const known = Object.keys(services).find((name) => host === name || host.endsWith(`.${name}`));
  return services[known ?? ''] ?? null;
}

export type RuleGiven = Partial<Omit<Rule, 'what'>> & Rule['what'];
export type ExceptionGiven = Partial<Omit<Exception, 'what'>> & Exception['what'];

export interface PolicyGiven {
  readonly rules?: readonly RuleGiven[];
  readonly exceptions?: readonly ExceptionGiven[];
  readonly pauses?: readonly Pick<Pause, 'vendor' | 'from' | 'until'>[];
  readonly defaults?: Partial<PolicyDocument['defaults']>;
  readonly defaultAssistant?: string | null;
  readonly assistantFor?: PolicyDocument['assistantFor'];
  readonly sites?: PolicyDocument['sites'];
  readonly riskClasses?: PolicyDocument['riskClasses'];
  readonly sanctionedOnly?: boolean;
}

function split<T extends Rule['what']>({ vendors, products, channels, tags, risks, domains, ...rest }: T) {
  const what = { vendors, products, channels, tags, risks, domains };
  return { rest, what };
}

/** Ids are `rule-0`, `rule-1`, … and `exception-0`, … where none is given; the reason is the id. */
export function document(given: PolicyGiven): PolicyDocument {
  return {
    assistants: [
      { id: 'qoder', name: 'Qoder', url: 'https://qoder.test/' },
      { id: 'inhouse', name: 'In-house', url: 'https://ai.corp.test/' },
    ],
    assistantFor: given.assistantFor,
    sites: given.sites,
    riskClasses: given.riskClasses,
    sanctionedOnly: given.sanctionedOnly,
    defaultAssistant: given.defaultAssistant === undefined ? 'qoder' : given.defaultAssistant,
    groups: {
      research: { networks: ['10.30.0.0/16'], users: ['ada'], forwarded: [] },
      design: { networks: ['10.20.0.0/16'], users: [], forwarded: [] },
    },
    rules: (given.rules ?? []).map((rule, i) => {
      const { rest, what } = split(rule);
      const id = rest.id ?? `rule-${i}`;
      return { effect: 'deny', reason: id, ...rest, id, what };
    }),
    exceptions: (given.exceptions ?? []).map((exception, i) => {
      const { rest, what } = split(exception);
      const id = rest.id ?? `exception-${i}`;
      return { until: now + 30 * day, approvedBy: 'the head', reason: id, ...rest, id, what };
    }),
    pauses: given.pauses?.map((pause, i) => ({ id: `pause-${i}`, reason: `pause-${i}`, ...pause })),
    defaults: {
      unlisted: 'allow',
      catalogue: 'monitor',
      manner: 'intercept',
      redirect: 'page',
      rawAddress: 'deny',
      ...given.defaults,
    },
  };
}

export interface QuestionGiven {
  readonly moment?: Question['moment'];
  readonly host?: string;
  readonly groups?: readonly string[];
  readonly serverName?: string;
  readonly navigation?: boolean;
  readonly denied?: Denial;
  readonly accountCall?: boolean;
  readonly ech?: boolean;
}

function kindOf(host: string): HostKind {
  if (host.includes(':')) return 'ipv6';
  return /^[\d.]+$/.test(host) ? 'ipv4' : 'name';
}

/** A CONNECT to claude.ai by a client in no group, unless said otherwise. */
export function question(given: QuestionGiven = {}): Question {
  const host = (given.host ?? 'claude.ai') as Hostname;
  const name = given.serverName as Hostname | undefined;
  return {
    moment: given.moment ?? (name === undefined ? 'connect' : 'hello'),
    client: { address: '10.0.0.7', user: null, groups: new Set(given.groups) },
    target: { host, kind: kindOf(host), port: 443 },
    service: serviceAt(host),
    serverName: name === undefined ? null : { host: name, service: serviceAt(name) },
    navigation: given.navigation ?? false,
    denied: given.denied ?? null,
    ...(given.accountCall === true && { accountCall: true }),
    ...(given.ech === true && { ech: true }),
  };
}

export const outerDenial: Denial = {
  rule: 'outer',
  reason: 'The tunnel was denied.',
  service: serviceAt('claude.ai'),
  assistant: null,
  manner: 'intercept',
  redirect: 'immediate',
  link: null,
  since: null,
};
