import type { Observed } from '../../src/record/observed.ts';

/** A gateway in which nothing has happened yet. */
export const quietObserved: Observed = {
  tunnelsOpen: () => 0,
  connectionsOpen: () => 0,
  leafCertificatesMinted: () => 0,
  authentications: () => ({}),
  limited: () => ({}),
  tunnelsRejudged: () => [],
  accessLogLinesLost: () => 0,
  caNotAfter: () => null,
  proxyTlsExpiry: () => ({}),
  configReload: () => ({ successful: true, lastSuccessAt: 0 }),
  policyHash: () => 'none',
  catalogue: () => ({ version: 'none', checked: null }),
  catalogueFetches: () => ({ adopted: 0, unchanged: 0, refused: 0, failed: 0, lastSuccessAt: null }),
  exceptions: () => ({
    exceptions: { active: 0, nextEnd: null },
    pauses: { active: 0, nextEnd: null },
    readable: true,
  }),
  domainLists: () => [],
  workers: () => ({ running: 1, replaced: 0 }),
  clientTrust: () => ({ accepted: 0, unknown_ca: 0, bad_certificate: 0, reset: 0, silent: 0 }),
  blockEvents: () => [],
  blockEventsLost: () => ({ log: 0, webhook: 0 }),
};
