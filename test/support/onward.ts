/** A tunnel to look.test that ends here, and whose requests go on to a real origin of TLS. */
import type { RequestListener } from 'node:http';
import { onTestFinished } from 'vitest';
import { createDestinations } from '../../src/act/destinations.ts';
import { createForward } from '../../src/act/forward.ts';
import { createResolver } from '../../src/act/resolver.ts';
import { createSecureDialler } from '../../src/act/secure.ts';
import { upgrade } from '../../src/act/upgrade.ts';
import { createDialler, type Dialler } from '../../src/act/upstream.ts';
import type { Outcome } from '../../src/flow.ts';
import { parseAuthority } from '../../src/listen/target.ts';
import { startIntercepted } from './intercepted.ts';
import { certificateOfTest, tlsOrigin, type TlsOrigin } from './origins.ts';
import { eventually } from './streams.ts';
import { failureAnswer, VIA } from './wiring.ts';

export function loopbackDialler(): Dialler {
  return createDialler({
    resolver: createResolver({ hosts: { '*.test': '127.0.0.1' }, timeout: 2_000 }),
    destinations: createDestinations({
      ports: [443],
      allow: [
        { match: 'cidr', value: '127.0.0.0/8', port: null },
        { match: 'suffix', value: 'test', port: null },
      ],
      own: () => [],
    }),
    connectTimeout: 2_000,
  });
}

export interface Onward {
  /** Where tunnels end. */
  readonly port: number;
  readonly ca: string;
  readonly origin: TlsOrigin;
  readonly outcome: (n?: number) => Promise<Outcome>;
}

/** @param trusted whether the origin's authority is. */
export async function startOnward(onRequest: RequestListener, trusted = true): Promise<Onward> {
  const certificate = certificateOfTest('look.test');
  const origin = await tlsOrigin(certificate, onRequest);
  const dialler = loopbackDialler();
  const roots = (): readonly string[] => (trusted ? [certificate.cert] : []);
  const secure = createSecureDialler({ dialler, roots, timeout: 2_000 });
  const shared = { dialler, secure, via: VIA, idleTimeout: 5_000, responseTimeout: 20_000, failed: failureAnswer };
  const forward = createForward(shared);
  onTestFinished(() => forward.close());
  const outcomes: Outcome[] = [];
  const { port } = await startIntercepted({
    certificate,
    target: parseAuthority(`look.test:${origin.port}`),
    arrived: (arrival) => {
      if (arrival.kind === 'request' && !('res' in arrival)) throw new Error('nothing is denied here');
      const done = arrival.kind === 'request' ? forward.forward(arrival) : upgrade(shared, arrival);
      void done.then((outcome) => outcomes.push(outcome));
    },
  });
  return {
    port,
    ca: certificate.cert,
    origin,
    outcome: async (n = 0) => {
      await eventually(`outcome ${n}`, () => outcomes.length > n);
      const found = outcomes[n];
      if (found === undefined) throw new Error('unreachable');
      return found;
    },
  };
}
