/** Builds everything that connects to origins, and all actions. */
import { createAct, type Act, type ActAnswers } from '../act/act.ts';
import { createDestinations, type OwnPort } from '../act/destinations.ts';
import { createForward } from '../act/forward.ts';
import type { Interceptor, MintLimit } from '../act/intercept.ts';
import { createAddresses, createResolver } from '../act/resolver.ts';
import { createSecureDialler } from '../act/secure.ts';
import { createTunnel } from '../act/tunnel.ts';
import { upgrade } from '../act/upgrade.ts';
import { createDialler } from '../act/upstream.ts';
import { trustedRoots } from '../certificates/roots.ts';
import { registeredDomain } from '../config/public-suffix.ts';
import type { Config } from '../config/schema.ts';
import { createHelloWatch } from '../listen/second-hello.ts';

export interface ActingOptions {
  readonly config: Pick<Config, 'outbound' | 'tunnels' | 'limits'>;
  /** Our pseudonym in `Via`, which reveals a loop (RFC 9110, section 7.6.3). */
  readonly via: string;
  /** The proxy's own ports, which must not be dialled. */
  readonly own: () => readonly OwnPort[];
  readonly interceptor: Interceptor;
  readonly room: MintLimit;
  readonly answers: ActAnswers;
}

export interface Acting {
  readonly act: Act;
  /** Closes the kept-alive connections to origins. */
  readonly close: () => void;
}

export function createActing({ config, via, own, interceptor, room, answers }: ActingOptions): Acting {
  const { hosts, dnsServers, ports, allow, connectTimeout, caFile } = config.outbound;
  const { idleTimeout, tlsRequiredPorts, httpPorts } = config.tunnels;
  const resolver = createResolver({ hosts, servers: dnsServers, timeout: connectTimeout, domainOf: registeredDomain });
  const dialler = createDialler({
    resolver,
    destinations: createDestinations({ ports, allow, own }),
    connectTimeout,
  });
  const secure = createSecureDialler({ dialler, roots: trustedRoots(caFile), timeout: connectTimeout });
  const { responseTimeout } = config.limits;
  const outgoing = { dialler, secure, via, idleTimeout, responseTimeout, failed: answers.failed };
  const forward = createForward(outgoing);
  const act = createAct({
    tunnel: createTunnel({ dialler, idleTimeout, tlsRequiredPorts, watch: createHelloWatch, failed: answers.failed }),
    interceptor,
    room,
    httpPorts,
    forward,
    addresses: createAddresses(resolver),
    upgrade: (arrival, mayReach) => upgrade(outgoing, arrival, mayReach),
    answers,
  });
  return { act, close: () => forward.close() };
}
