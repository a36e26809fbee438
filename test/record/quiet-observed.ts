import type { Observed } from '../../src/record/observed.ts';

/** A gateway in which nothing has happened yet. */
export const quietObserved: Observed = {
  tunnelsOpen: () => 0,
  connectionsOpen: () => 0,
  leafCertificatesMinted: () => 0,
  accessLogLinesLost: () => 0,
  caNotAfter: () => null,
  configReload: () => ({ successful: true, lastSuccessAt: 0 }),
  policyHash: () => 'none',
};
