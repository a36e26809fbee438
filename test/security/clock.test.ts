/** The clock: schedules follow the wall clock, deadlines the monotonic one. */
import { expect } from 'vitest';
import { askInside } from '../support/tunnels.ts';
import { connectRaw } from '../support/streams.ts';
import { attack, get, openField, testedIn } from './field.ts';

const boundary = Date.parse('2026-12-01T09:00:00+01:00');
let clock = boundary - 2_000;

const policy = `
time_zone: Europe/Berlin
rules:
  - { id: until, domains: ok.test, until: 2026-12-01T09:00+01:00, effect: allow, reason: Until the first of December. }
  - { id: from, domains: ok.test, from: 2026-12-01T09:00+01:00, effect: deny, reason: From the first of December. }
  - { id: acme-ban, vendors: acme, effect: deny, reason: Acme keeps what it is told. }
defaults: { unlisted: allow, catalogue: monitor, raw_address: deny }
`;
const field = openField({ policy, now: () => clock, settings: { limits: { head_timeout: '2s' } } });

attack(
  field,
  123,
  'A rule that ends at a moment in another time zone, asked for just before and just after',
  'it changes at that second',
  async ({ status, at }) => {
    const bytes = get(`http://${at('ok.test')}/`, undefined, 'Connection: close\r\n');
    for (const [offset, expected] of [
      [-2_000, 200],
      [-1, 200],
      [0, 403],
      [1_000, 403],
    ] as const) {
      clock = boundary + offset;
      expect(await status(bytes), String(offset)).toBe(expected);
    }
    clock = boundary - 2_000;
  },
);

attack(
  field,
  124,
  'A wall clock that jumps back an hour and forward a day, with a connection waiting',
  'decisions follow it at once; deadlines do not; leaves are valid to clients at both ends',
  async ({ lab, status, at }) => {
    const bytes = get(`http://${at('ok.test')}/`, undefined, 'Connection: close\r\n');
    const waiting = await connectRaw(lab.proxyPort, 'CONNECT ok');
    const started = performance.now();
    clock = boundary - 3_600_000;
    expect(await status(bytes)).toBe(200);
    clock = boundary + 86_400_000;
    expect(await status(bytes)).toBe(403);
    await waiting.ended;
    const waited = performance.now() - started;
    expect(waited).toBeGreaterThan(1_000);
    expect(waited).toBeLessThan(10_000);
    for (const host of ['a.deny.test', 'b.deny.test']) {
      clock = Date.now() + (host.startsWith('a') ? -3_600_000 : 86_400_000);
      expect((await askInside(lab.proxyPort, lab.ca, `https://${at(host)}/`)).status, host).toBe(403);
    }
    clock = boundary - 2_000;
  },
);

testedIn(
  125,
  'Exceptions, denials, groups and counting in 10,000 cases by chance, and 1,000 over sockets',
  'an exception goes before a denial, a denial before what is as specific; counting blocks nothing; `explain` says what the proxy does',
  'gateway/agreement.test.ts',
  'flows/agreement.test.ts',
  'decide/precedence.test.ts',
);
