/** Turns an arrival into the question for the policy. */
import type {
  Answerable,
  Arrival,
  Asked,
  Client,
  Hello,
  Hostname,
  Question,
  RequestFacts,
  TunnelArrival,
  UpgradeArrival,
} from '../flow.ts';
import type { FindService } from './services.ts';

export interface IdentifyOptions {
  readonly services: FindService;
  /** The groups of an address, of its user if known, and those that a trusted proxy names. */
  readonly groups: (address: string, user: string | null, forwarded?: readonly string[]) => ReadonlySet<string>;
  /** Whether the catalogue lists a request as an account call. */
  readonly accountCalls: (host: Hostname, facts: RequestFacts) => boolean;
}

export interface Identify {
  readonly connect: (arrival: TunnelArrival) => Asked<TunnelArrival>;
  /** The question of the CONNECT again, with what the tunnel's first bytes reveal. */
  readonly hello: (asked: Asked<TunnelArrival>, hello: Hello) => Asked<TunnelArrival>;
  readonly request: <A extends Answerable | UpgradeArrival>(arrival: A) => Asked<A>;
}

// Questions have all fields in the same order, so that V8 sees one kind of object.
export function createIdentify({ services, groups, accountCalls }: IdentifyOptions): Identify {
  const clientOf = ({ clientAddress: address, user, forwarded }: Arrival): Client => ({
    address,
    user: user ?? null,
    groups: groups(address, user ?? null, forwarded),
  });

  /** The server name of the ClientHello if it differs from the CONNECT's host. */
  const otherName = (hello: Hello, asked: Hostname): Question['serverName'] => {
    if (hello.kind !== 'tls' || hello.serverName === null || hello.serverName.host === asked) return null;
    const { host } = hello.serverName;
    return { host, service: services(host) };
  };

  const isAccountCall = ({ kind, tunnel, target, facts }: Answerable | UpgradeArrival): boolean =>
    kind === 'request' && tunnel?.denial?.letAccountCallsPass === true && accountCalls(target.host, facts);

  return {
    connect: (arrival) => ({
      arrival,
      question: {
        moment: 'connect',
        client: clientOf(arrival),
        target: arrival.target,
        service: services(arrival.target.host),
        serverName: null,
        dialled: undefined,
        ech: undefined,
        navigation: false,
        denied: null,
        accountCall: undefined,
      },
    }),

    hello: ({ arrival, question }, hello) => ({
      arrival,
      question: {
        moment: 'hello',
        client: question.client,
        target: question.target,
        service: question.service,
        serverName: otherName(hello, question.target.host),
        dialled: question.dialled,
        ech: hello.kind === 'tls' && hello.ech,
        navigation: question.navigation,
        denied: question.denied,
        accountCall: question.accountCall,
      },
    }),

    request: (arrival) => ({
      arrival,
      question: {
        moment: 'request',
        client: clientOf(arrival),
        target: arrival.target,
        service: services(arrival.target.host, arrival.facts.path, arrival.facts.headers),
        serverName: null,
        dialled: undefined,
        ech: undefined,
        // An upgrade cannot be redirected, whatever its headers say.
        navigation: arrival.kind === 'request' && arrival.facts.navigation,
        denied: arrival.tunnel?.denial ?? null,
        accountCall: isAccountCall(arrival) ? true : undefined,
      },
    }),
  };
}
