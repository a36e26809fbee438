/** Attempts as the lifecycle hands them to the sinks, with only what a test is about spelt out. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type {
  Arrival,
  Client,
  Decided,
  Decision,
  Denial,
  Finished,
  Hostname,
  Outcome,
  Question,
  Rejected,
  RequestFacts,
  Service,
  Target,
} from '../../src/flow.ts';

export const claude: Service = {
  vendor: 'anthropic',
  vendorName: 'Anthropic',
  product: 'claude',
  productName: 'Claude',
  kind: 'chat',
  channel: 'direct',
  wire: 'anthropic',
  role: 'app',
  tags: [],
};

export const denial: Denial = {
  rule: 'claude-banned',
  reason: 'High-risk since 10 July.',
  service: claude,
  assistant: { id: 'qoder', name: 'Qoder', url: 'https://assistant.example/' },
  manner: 'intercept',
  redirect: 'page',
  link: 'https://tickets.example/ask',
  since: null,
};

export const denied = { effect: 'deny', rule: denial.rule, reason: denial.reason, denial } satisfies Decision;
export const monitored: Decision = { effect: 'monitor', rule: 'claude-watched', reason: 'Counted until 10 July.' };
export const allowed: Decision = { effect: 'allow', rule: 'default', reason: 'No rule is against it.' };

export interface Given {
  readonly kind?: Arrival['kind'];
  readonly id?: string;
  readonly at?: number;
  readonly host?: string;
  readonly hostKind?: Target['kind'];
  readonly userAgent?: string;
  readonly clientAddress?: string;
  readonly facts?: Partial<RequestFacts>;
  /** Id of the intercepted tunnel that the request came through. */
  readonly tunnel?: string;
  readonly client?: Partial<Client>;
  readonly question?: Partial<Question>;
  readonly service?: Service | null;
  readonly decision?: Decision;
  readonly action?: Decided['action'];
  readonly outcome?: Partial<Outcome>;
  readonly duration?: number;
}

export function attempt(given: Given = {}): Finished {
  const arrival = arrivalOf(given);
  const service = given.service === undefined ? claude : given.service;
  const client = { address: arrival.clientAddress, user: null, groups: new Set<string>(), ...given.client };
  return {
    arrival,
    policy: 'f00d',
    question: {
      moment: arrival.kind === 'tunnel' ? 'connect' : 'request',
      client,
      target: arrival.target,
      service,
      serverName: null,
      navigation: false,
      denied: null,
      ...given.question,
    },
    decision: given.decision ?? allowed,
    action: given.action ?? { kind: arrival.kind === 'tunnel' ? 'tunnel' : 'forward' },
    outcome: {
      kind: 'passed',
      answer: null,
      status: 200,
      error: null,
      bytesIn: 10,
      bytesOut: 20,
      upstream: null,
      ...given.outcome,
    },
    duration: given.duration ?? 1.5,
  };
}

/** A denied attempt that got its answer. */
export function block(given: Given = {}): Finished {
  return attempt({
    kind: 'request',
    decision: denied,
    action: { kind: 'block', denial },
    ...given,
    outcome: { kind: 'blocked', answer: 'page', status: 403, ...given.outcome },
  });
}

/** Something that never became an attempt. */
export const rejected: Rejected = {
  id: 'ffeeddccbbaa998877665544',
  at: Date.UTC(2026, 6, 10, 8, 30, 15, 7),
  clientAddress: '10.0.0.7',
  clientPort: 50_123,
  code: 'invalid_target',
  detail: 'the port is missing',
};

export function host(name: string): Hostname {
  return name as Hostname;
}

function arrivalOf(given: Given): Arrival {
  const base = {
    id: given.id ?? '0123456789abcdef01234567',
    at: given.at ?? Date.UTC(2026, 6, 10, 8, 30, 15, 7),
    started: 1000,
    clientAddress: given.clientAddress ?? '10.0.0.7',
    clientPort: 50_123,
    target: { host: host(given.host ?? 'claude.ai'), kind: given.hostKind ?? 'name', port: 443 },
    userAgent: given.userAgent ?? 'curl/8.5.0',
  } as const;
  const tunnel = given.tunnel === undefined ? null : { id: given.tunnel, target: base.target, denial };
  const facts: RequestFacts = {
    method: 'GET',
    scheme: 'https',
    httpVersion: '1.1',
    path: '/chat',
    headers: {},
    navigation: false,
    ...given.facts,
  };
  const socket = new Socket();
  const early = Buffer.alloc(0);
  const req = new IncomingMessage(socket);
  switch (given.kind ?? 'tunnel') {
    case 'tunnel':
      return { ...base, kind: 'tunnel', socket, early };
    case 'request':
      return { ...base, kind: 'request', facts, req, res: new ServerResponse(req), tunnel };
    case 'upgrade':
      return { ...base, kind: 'upgrade', facts, req, socket, early, tunnel };
  }
}
