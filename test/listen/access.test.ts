/** What becomes of an arrival where the check of its credentials fails; all else is in test/flows/who.test.ts. */
import { expect, test } from 'vitest';
import { createAccess, type AccessRules } from '../../src/listen/access.ts';
import { originOf } from '../../src/listen/arrival.ts';
import { tunnelArrival } from '../../src/listen/connect.ts';
import { introduce } from '../../src/listen/peers.ts';
import { socketPair } from '../support/streams.ts';

type Check = NonNullable<AccessRules['credentials']>['check'];

/** Asks once, with credentials; gives what was heard of it. */
async function ask(
  check: Check,
  arrived: () => void,
): Promise<{ readonly rejected: unknown[]; readonly told: unknown[] }> {
  const { near } = await socketPair();
  const rejected: unknown[] = [];
  const told: unknown[] = [];
  const { asked } = createAccess({
    tooOften: () => false,
    rules: () => ({ credentials: { required: true, check }, userField: null, groupsField: null }),
    arrived,
    reject: (_arrival, code, detail) => void rejected.push([code, detail]),
    missing: () => undefined,
    surprised: (error) => void told.push(error),
  });
  const head = { authority: 'ok.test:443', userAgent: '' };
  asked(tunnelArrival(near, head, Buffer.alloc(0), originOf(near)), () => ['Basic eDp5']);
  await expect.poll(() => told).toHaveLength(1);
  return { rejected, told };
}

const broken = new Error('broken');
const throwing = (): never => {
  throw broken;
};

test.each<[string, Check, () => void]>([
  ['the check throws', throwing, () => undefined],
  ['what comes after a check without a wait throws', () => ({ kind: 'user', user: 'ada' }), throwing],
  ['the check rejects', () => Promise.reject(broken), () => undefined],
  ['what comes after the check throws', () => Promise.resolve({ kind: 'user', user: 'ada' }), throwing],
])('where %s, the client is answered all the same, and the error is told', async (_what, check, arrived) => {
  expect(await ask(check, arrived)).toEqual({
    rejected: [['internal_error', 'arrival failed']],
    told: [broken],
  });
});

test.each([
  ['10.0.0.5', 'ceo'],
  ['203.0.113.9', undefined],
])(
  'behind a load balancer, a user field from %s names %s: the address is that of the PROXY header',
  async (from, user) => {
    const { near } = await socketPair();
    introduce(near, { remoteAddress: from, remotePort: 1234 });
    const users: (string | undefined)[] = [];
    const trusted = (address: string): boolean => address === '10.0.0.5' || address === near.remoteAddress;
    const { asked } = createAccess({
      tooOften: () => false,
      rules: () => ({ credentials: null, userField: { name: 'x-forwarded-user', trusted }, groupsField: null }),
      arrived: (arrival) => void users.push(arrival.user),
      reject: () => undefined,
      missing: () => undefined,
      surprised: () => undefined,
    });
    const head = { authority: 'ok.test:443', userAgent: '' };
    asked(tunnelArrival(near, head, Buffer.alloc(0), originOf(near)), () => ['ceo']);
    expect(users).toEqual([user]);
  },
);
