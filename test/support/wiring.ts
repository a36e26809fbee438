/** The smallest proxy that the stations listen and act make together: no policy, every arrival is let through. */
import { onTestFinished } from 'vitest';
import { createDestinations, type Allowance } from '../../src/act/destinations.ts';
import { createForward } from '../../src/act/forward.ts';
import { createResolver } from '../../src/act/resolver.ts';
import { createSecureDialler } from '../../src/act/secure.ts';
import { createTunnel } from '../../src/act/tunnel.ts';
import { upgrade } from '../../src/act/upgrade.ts';
import { createDialler, type Dialler } from '../../src/act/upstream.ts';
import { answerAndEnd, sendAnswer } from '../../src/act/write.ts';
import { errors, type ErrorCode } from '../../src/errors.ts';
import type { Answer, Arrival, MayReach, Outcome, TunnelArrival } from '../../src/flow.ts';
import { createConnectSpeaker } from '../../src/listen/connect.ts';
import { createFrontDoor } from '../../src/listen/front-door.ts';
import { awaitHello } from '../../src/listen/hello.ts';
import { createHttpSpeaker } from '../../src/listen/http.ts';
import { createHelloWatch } from '../../src/listen/second-hello.ts';
import { eventually } from './streams.ts';

/** The plainest answer to a failure: its code is in a header and in the body. */
export function failureAnswer(code: ErrorCode): Answer {
  const { status, text } = errors[code];
  return { name: 'failed', status, reason: code, headers: { 'X-Proxy-Error': code }, body: Buffer.from(`${text}\n`) };
}

export interface Settings {
  readonly hosts?: Readonly<Record<string, string>>;
  readonly allow?: readonly Allowance[];
  readonly headTimeout?: number;
  readonly idleTimeout?: number;
  readonly responseTimeout?: number;
  readonly connectTimeout?: number;
  readonly maxConnections?: number;
  /** Ports behind which only TLS may be spoken. */
  readonly tlsRequired?: readonly number[];
  readonly patience?: number;
  /** Authorities of origins, as PEM. */
  readonly roots?: readonly string[];
  readonly mayReach?: MayReach;
  /** No dial begins before. */
  readonly dialAfter?: Promise<void>;
  /** No arrival is let through before, as where its name is looked up first. */
  readonly actAfter?: Promise<void>;
  /** Takes the place of letting an arrival through. */
  readonly arrived?: (arrival: Arrival) => void;
}

export interface Wired {
  readonly port: number;
  readonly arrivals: Arrival[];
  readonly outcomes: Outcome[];
  readonly rejections: { readonly code: ErrorCode; readonly detail: string }[];
  readonly connections: () => number;
  /** The outcome of the n-th attempt that ended, from 0. */
  readonly outcome: (n?: number) => Promise<Outcome>;
}

export const VIA = 'proxy-under-test';
const loopback: readonly Allowance[] = [
  { match: 'cidr', value: '127.0.0.0/8', port: null },
  { match: 'host', value: 'ok.test', port: null },
];

export async function startWired(settings: Settings = {}): Promise<Wired> {
  const { headTimeout = 5_000, idleTimeout = 20_000, connectTimeout = 5_000, maxConnections = 1_000 } = settings;
  const arrivals: Arrival[] = [];
  const outcomes: Outcome[] = [];
  const rejections: { code: ErrorCode; detail: string }[] = [];
  const prompt = createDialler({
    resolver: createResolver({ hosts: settings.hosts ?? { 'ok.test': '127.0.0.1' }, timeout: 2_000 }),
    destinations: createDestinations({ ports: [80, 443], allow: settings.allow ?? loopback, own: () => [] }),
    connectTimeout,
  });
  const dialler: Dialler = {
    async dial(...given) {
      await settings.dialAfter;
      return prompt.dial(...given);
    },
  };
  const secure = createSecureDialler({ dialler, roots: () => settings.roots ?? [], timeout: connectTimeout });
  const shared = {
    dialler,
    secure,
    via: VIA,
    idleTimeout,
    responseTimeout: settings.responseTimeout ?? 20_000,
    failed: failureAnswer,
  };
  const forward = createForward(shared);
  const tunnel = createTunnel({ ...shared, tlsRequiredPorts: settings.tlsRequired ?? [], watch: createHelloWatch });

  const carry = async (arrival: TunnelArrival): Promise<Outcome> => {
    const opened = await tunnel.open(arrival);
    if (opened.kind === 'ended') return opened.outcome;
    const { upstream } = opened;
    const hello = await awaitHello(arrival, upstream?.feed ?? null, {
      helloTimeout: settings.patience ?? 300,
      idleTimeout,
      tlsRequiredPorts: settings.tlsRequired ?? [],
    });
    const decision = { effect: 'allow', rule: 'test', reason: 'test' } as const;
    const client = { address: arrival.clientAddress, user: null, groups: new Set<string>() };
    const known = { client, target: arrival.target, service: null, serverName: null, navigation: false, denied: null };
    const asked = { arrival, question: { moment: 'hello', ...known } as const };
    return tunnel.carry({ ...asked, decision, action: { kind: 'tunnel' }, policy: '' }, hello, upstream);
  };

  const act = (arrival: Arrival): Promise<Outcome> => {
    switch (arrival.kind) {
      case 'request':
        if (!('res' in arrival)) throw new Error('a denied request is not forwarded');
        return forward.forward(arrival, settings.mayReach);
      case 'upgrade':
        return upgrade(shared, arrival);
      case 'tunnel':
        return carry(arrival);
    }
  };

  const arrived = (arrival: Arrival): void => {
    arrivals.push(arrival);
    if (settings.arrived !== undefined) {
      settings.arrived(arrival);
      return;
    }
    const acted = settings.actAfter === undefined ? act(arrival) : settings.actAfter.then(() => act(arrival));
    void acted.then((outcome) => outcomes.push(outcome));
  };
  const reject = (socket: Parameters<typeof answerAndEnd>[0], _: unknown, code: ErrorCode, detail: string): void => {
    rejections.push({ code, detail });
    void answerAndEnd(socket, failureAnswer(code));
  };
  const http = createHttpSpeaker({
    headTimeout,
    idleTimeout,
    arrived,
    reject,
    rejectRequest: (req, res, _origin, code, detail) => {
      rejections.push({ code, detail });
      void sendAnswer(req, res, failureAnswer(code));
    },
  });
  const speakers = [createConnectSpeaker({ arrived, reject }), http];
  const door = createFrontDoor({ speakers, maxConnections, headTimeout, reject });
  const { port } = await door.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => {
    door.stop();
    door.destroy();
    http.close();
    forward.close();
  });
  return {
    port,
    arrivals,
    outcomes,
    rejections,
    connections: door.connections,
    outcome: async (n = 0) => {
      await eventually(`outcome ${n}`, () => outcomes.length > n);
      const found = outcomes[n];
      if (found === undefined) throw new Error('unreachable');
      return found;
    },
  };
}
