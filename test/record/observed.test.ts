import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { registerObserved } from '../../src/record/observed.ts';
import type { Observed } from '../../src/record/observed.ts';
import { quietObserved } from './quiet-observed.ts';

function registryOf(observed: Partial<Observed>): Registry {
  const registry = new Registry();
  registerObserved(registry, { ...quietObserved, ...observed });
  return registry;
}

async function samples(registry: Registry): Promise<readonly string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const cases: readonly (readonly [Partial<Observed>, string])[] = [
  [{ tunnelsOpen: () => 3 }, 'sallyport_tunnels_open 3'],
  [{ connectionsOpen: () => 4 }, 'sallyport_connections_open 4'],
  [{ limited: () => ({ connections: 3 }) }, 'sallyport_limited_total{limit="connections"} 3'],
  [{ authentications: () => ({ wrong: 2 }) }, 'sallyport_authentications_total{result="wrong"} 2'],
  [{ leafCertificatesMinted: () => 5 }, 'sallyport_leaf_certificates_minted_total 5'],
  [{ accessLogLinesLost: () => 6 }, 'sallyport_access_log_lines_lost_total 6'],
  [{ caNotAfter: () => 7_000 }, 'sallyport_ca_not_after_timestamp_seconds 7'],
  [
    { proxyTlsExpiry: () => ({ cert_file: 8_000 }) },
    'sallyport_proxy_tls_expiry_timestamp_seconds{file="cert_file"} 8',
  ],
  [
    { configReload: () => ({ successful: true, lastSuccessAt: 8_500 }) },
    'sallyport_config_last_reload_success_timestamp_seconds 8.5',
  ],
  [{ configReload: () => ({ successful: false, lastSuccessAt: 0 }) }, 'sallyport_config_last_reload_successful 0'],
  [{ policyHash: () => 'abc' }, 'sallyport_policy_info{hash="abc"} 1'],
  [{ catalogue: () => ({ version: 'v1', checked: null }) }, 'sallyport_catalogue_info{catalogue="v1"} 1'],
  [
    { catalogue: () => ({ version: 'v1', checked: '2026-11-20' }) },
    'sallyport_catalogue_checked_timestamp_seconds 1795132800',
  ],
  [
    { catalogueFetches: () => ({ adopted: 1, unchanged: 0, refused: 2, failed: 0, lastSuccessAt: 9_500 }) },
    'sallyport_catalogue_fetches_total{result="refused"} 2',
  ],
  [
    { catalogueFetches: () => ({ adopted: 1, unchanged: 0, refused: 2, failed: 0, lastSuccessAt: 9_500 }) },
    'sallyport_catalogue_last_fetch_success_timestamp_seconds 9.5',
  ],
  [
    { clientTrust: () => ({ accepted: 9, unknown_ca: 2, bad_certificate: 0, reset: 0, silent: 0 }) },
    'sallyport_client_trust_total{result="unknown_ca"} 2',
  ],
  [{}, 'sallyport_client_trust_total{result="silent"} 0'],
  [
    { blockEvents: () => [{ vendor: 'anthropic', product: 'claude', rule: 'ban', count: 3 }] },
    'sallyport_block_events_total{vendor="anthropic",product="claude",rule="ban"} 3',
  ],
  [{ blockEventsLost: () => ({ log: 0, webhook: 4 }) }, 'sallyport_block_events_lost_total{sink="webhook"} 4'],
  [{}, 'sallyport_block_events_lost_total{sink="log"} 0'],
  [{}, 'sallyport_block_events_lost_total{sink="webhook"} 0'],
];

test.each(cases)('%o gives %s', async (observed, expected) => {
  expect(await samples(registryOf(observed))).toContain(expected);
});

test('each scrape asks anew: counters follow, and only the policy in force is named', async () => {
  let round = 0;
  const registry = registryOf({
    leafCertificatesMinted: () => round,
    policyHash: () => `hash-${round}`,
    caNotAfter: () => (round === 1 ? 9_000 : null),
  });
  expect((await samples(registry)).join('\n')).not.toContain('sallyport_ca_not_after');
  round = 1;
  const then = await samples(registry);
  expect(then).toContain('sallyport_leaf_certificates_minted_total 1');
  expect(then).toContain('sallyport_ca_not_after_timestamp_seconds 9');
  expect(then.filter((line) => line.startsWith('sallyport_policy_info'))).toEqual([
    'sallyport_policy_info{hash="hash-1"} 1',
  ]);
  round = 2;
  expect((await samples(registry)).join('\n')).not.toContain('sallyport_ca_not_after');
});
