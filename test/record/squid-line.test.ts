import { readFileSync, rmSync } from 'node:fs';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { Finished } from '../../src/flow.ts';
import { createAccessLog } from '../../src/record/access-log.ts';
import { createSquidLine } from '../../src/record/squid-line.ts';
import { isSquidLine, readSquidLine } from '../../src/rehearse/squid-line.ts';
import { createTargets } from '../../src/rehearse/targets.ts';
import { attempt, block, denied, rejected } from './attempts.ts';
import type { Given } from './attempts.ts';

const line = createSquidLine();
const upstream = { address: '160.79.104.10', port: 443 };

test.each<[string, Finished, string]>([
  [
    'a tunnel that passed',
    attempt({ duration: 123.4, client: { address: '10.0.0.8', user: 'jane' }, outcome: { bytesOut: 3981, upstream } }),
    '1783672215.130    123 10.0.0.8 TCP_TUNNEL/200 3981 CONNECT claude.ai:443 jane HIER_DIRECT/160.79.104.10 -',
  ],
  [
    'a request that passed',
    attempt({
      kind: 'request',
      duration: 20,
      facts: { scheme: 'http', path: '/a?key=secret' },
      outcome: { status: 304, upstream },
    }),
    '1783672215.027     20 10.0.0.7 TCP_MISS/304 20 GET http://claude.ai:443/a - HIER_DIRECT/160.79.104.10 -',
  ],
  [
    'a denial',
    block({ facts: { method: 'POST', path: '/v1/messages' }, outcome: { bytesOut: 512 } }),
    '1783672215.009      2 10.0.0.7 TCP_DENIED/403 512 POST https://claude.ai/v1/messages - HIER_NONE/- -',
  ],
  [
    'a reset',
    attempt({ decision: denied, outcome: { kind: 'blocked', status: null, bytesOut: 0 } }),
    '1783672215.009      2 10.0.0.7 TCP_DENIED/000 0 CONNECT claude.ai:443 - HIER_NONE/- -',
  ],
  [
    'a client that went away',
    attempt({ kind: 'request', outcome: { kind: 'failed', error: 'client_closed', status: 499, upstream } }),
    '1783672215.009      2 10.0.0.7 TCP_MISS_ABORTED/499 20 GET https://claude.ai/chat - HIER_DIRECT/160.79.104.10 -',
  ],
  [
    'a destination that was too slow',
    attempt({ outcome: { kind: 'failed', error: 'connection_timeout', status: 504 } }),
    '1783672215.009      2 10.0.0.7 TCP_TUNNEL_TIMEDOUT/504 20 CONNECT claude.ai:443 - HIER_NONE/- -',
  ],
  [
    'IPv6',
    attempt({ host: '2001:db8::1', hostKind: 'ipv6', clientAddress: 'fd00::7' }),
    '1783672215.009      2 fd00::7 TCP_TUNNEL/200 20 CONNECT [2001:db8::1]:443 - HIER_NONE/- -',
  ],
  [
    'what is hostile',
    block({
      client: { address: '10.0.0.7', user: 'a b%[x]\\\n"ü' },
      facts: { method: 'GET', path: '/a b\n<"é\ud800>\u001b[31m' },
    }),
    '1783672215.009      2 10.0.0.7 TCP_DENIED/403 20 GET https://claude.ai/a%20b%0A%3C%22%C3%A9%EF%BF%BD%3E%1B[31m a%20b%25%5Bx%5D%5C%0A"%C3%BC HIER_NONE/- -',
  ],
])('%s', (_, finished, expected) => {
  expect(line.finished(finished)).toBe(`${expected}\n`);
});

test('what never became an attempt', () => {
  expect(line.rejected(rejected)).toBe(
    '1783672215.007      0 10.0.0.7 NONE_NONE/400 0 - error:invalid-request - HIER_NONE/- -\n',
  );
});

test.each([
  ['authentication_required', 'TCP_DENIED/407'],
  ['rate_limit', 'TCP_DENIED/429'],
  ['client_limit', 'NONE_NONE/503'],
] as const)('what may not go on, or finds no room, is named: %s', (code, result) => {
  const { arrival } = attempt({ kind: 'tunnel' });
  expect(line.rejected({ ...rejected, code, asked: arrival })).toBe(
    `1783672215.007      0 10.0.0.7 ${result} 0 CONNECT ${arrival.target.host}:443 - HIER_NONE/- -\n`,
  );
});

/** The same numbers every time (Numerical Recipes' generator). */
function numbers(): () => number {
  let state = 11;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

test('whatever is written is read back: 5,000 attempts of any kind', () => {
  const random = numbers();
  const below = (limit: number): number => Math.floor(random() * limit);
  const text = (length: number): string =>
    Array.from({ length: below(length) }, () =>
      String.fromCharCode(random() < 0.8 ? 32 + below(95) : below(0xffff)),
    ).join('');
  const targetOf = createTargets();
  for (let i = 0; i < 5000; i++) {
    const user = random() < 0.5 ? null : text(20);
    const kind = (['tunnel', 'request', 'upgrade'] as const)[below(3)] ?? 'tunnel';
    const scheme = random() < 0.5 ? 'http' : 'https';
    const v6 = random() < 0.2;
    const given: Given = {
      kind,
      at: 1_500_000_000_000 + below(1_000_000_000),
      duration: random() * 10_000,
      host: v6 ? '2001:db8::7' : 'api.claude.ai',
      hostKind: v6 ? 'ipv6' : 'name',
      clientAddress: random() < 0.5 ? '10.0.0.8' : 'fd00::8',
      client: { user },
      facts: { scheme, path: `/${text(40)}`, method: (['GET', 'POST', 'PROPFIND'] as const)[below(3)] ?? 'GET' },
      outcome: { status: random() < 0.2 ? null : 200 + below(200), bytesOut: below(1e9) },
    };
    const finished = attempt(given);
    const { arrival } = finished;
    const written = line.finished({
      ...finished,
      question: { ...finished.question, client: { ...finished.question.client, user } },
    });
    expect(written.indexOf('\n')).toBe(written.length - 1);
    expect(isSquidLine(written)).toBe(true);
    if (written.includes('/407 ')) continue;
    const read = readSquidLine(written.slice(0, -1));
    if (read.kind !== 'attempt') throw new Error(`${written} is ${JSON.stringify(read)}`);
    expect(read.at).toBe(arrival.at);
    expect(read.client).toBe(finished.question.client.address);
    // Half a surrogate pair cannot be written in UTF-8; `-` is how nobody is written.
    expect(read.user).toBe(
      user === '' || user === '-' ? null : user === null ? null : Buffer.from(user, 'utf8').toString('utf8'),
    );
    const asked = targetOf(read.method, read.url);
    if (typeof asked === 'string') throw new Error(`${written}: ${asked}`);
    expect(asked.target).toEqual(arrival.target);
    expect(asked.moment).toBe(kind === 'tunnel' || scheme === 'https' ? 'connect' : 'request');
  }
});

test('is written where the configuration says so', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-squid-'));
  const path = join(dir, 'access.log');
  const log = createAccessLog({ path, format: 'squid', stdout: new PassThrough(), onFault: () => undefined });
  log.finished(attempt());
  log.rejected(rejected);
  await log.close();
  const lines = readFileSync(path, 'utf8').split('\n');
  rmSync(dir, { recursive: true });
  expect(lines.map((text) => text.split(/ +/)[3])).toEqual(['TCP_TUNNEL/200', 'NONE_NONE/400', undefined]);
});
