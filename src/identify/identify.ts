/** From an arrival to the question that the policy is asked. */
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
  /** The groups of an address, of the user that is known to be there, and of what a trusted proxy calls them. */
  readonly groups: (address: string, user: string | null, forwarded?: readonly string[]) => ReadonlySet<string>;
  /** Whether the catalogue knows a request for one about an account. */
  readonly accountCalls: (host: Hostname, facts: RequestFacts) => boolean;
}

export interface Identify {
  readonly connect: (arrival: TunnelArrival) => Asked<TunnelArrival>;
  /** The question of the CONNECT once more, now that the tunnel has spoken. */
  readonly hello: (asked: Asked<TunnelArrival>, hello: Hello) => Asked<TunnelArrival>;
  readonly request: <A extends Answerable | UpgradeArrival>(arrival: A) => Asked<A>;
}

// Questions have all their fields, in one order, so that they are one kind of object to whoever reads them.
export function createIdentify({ services, groups, accountCalls }: IdentifyOptions): Identify {
  const clientOf = ({ clientAddress: address, user, forwarded }: Arrival): Client => ({
    address,
    user: user ?? null,
    groups: groups(address, user ?? null, forwarded),
  });

  /** The ClientHello's name where it is another than the CONNECT's: the same name adds nothing. */
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
        // An upgrade cannot be redirected, whatever its headers claim.
        navigation: arrival.kind === 'request' && arrival.facts.navigation,
        denied: arrival.tunnel?.denial ?? null,
        accountCall: isAccountCall(arrival) ? true : undefined,
      },
    }),
  };
}
