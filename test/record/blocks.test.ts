import { expect, test } from 'vitest';
import { isBlocked, serviceOf } from '../../src/record/blocks.ts';
import { allowed, attempt, block, claude, denial, denied, host, monitored } from './attempts.ts';

test.each([
  ['an answered denial', block(), true],
  [
    'a denial whose client went away',
    block({ outcome: { kind: 'failed', error: 'client_closed', answer: null } }),
    true,
  ],
  ['a refused CONNECT', block({ kind: 'tunnel', action: { kind: 'refuse', denial } }), true],
  [
    'a tunnel whose client rejects our certificate',
    block({ kind: 'tunnel', action: { kind: 'intercept', denial }, outcome: { error: 'client_rejected_ca' } }),
    true,
  ],
  ['a guard that answered for policy', attempt({ decision: allowed, outcome: { kind: 'blocked' } }), true],
  ['an allowed request', attempt({ decision: allowed }), false],
  ['a monitored request', attempt({ decision: monitored }), false],
  ['an allowed request that failed', attempt({ outcome: { kind: 'failed', error: 'dns_error' } }), false],
])('%s', (_name, finished, expected) => {
  expect(isBlocked(finished)).toBe(expected);
});

test.each([
  ['the denied one', attempt({ decision: denied, service: null }), claude],
  ['the target', attempt({ decision: monitored }), claude],
  [
    'the server name, where the target is unknown',
    attempt({ service: null, question: { serverName: { host: host('claude.ai'), service: claude } } }),
    claude,
  ],
  ['nothing known', attempt({ service: null }), null],
])('service: %s', (_name, decided, expected) => {
  expect(serviceOf(decided)).toBe(expected);
});
