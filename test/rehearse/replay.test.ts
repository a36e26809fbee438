import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { createAccessLine } from '../../src/record/access-line.ts';
import { replay } from '../../src/rehearse/replay.ts';
import type { Replayed, ReplayOptions } from '../../src/rehearse/replay.ts';
import { withConfig } from '../config/folder.ts';
import { allowed, attempt, block } from '../record/attempts.ts';

const policy = `groups:
  staff: { networks: 10.0.0.0/8 }
rules:
  - { id: count, vendors: acme, until: 2026-07-10, effect: monitor, reason: Counted. }
  - { id: ban, vendors: acme, from: 2026-07-10, effect: deny, reason: Banned. }
  - { id: own, domains: ai.corp.test, effect: allow, reason: Ours. }
exceptions:
  - { id: trial, vendors: acme, groups: staff, until: 2026-08-01, approved_by: Ada, reason: A trial. }
`;

function judgedBy(text: string): ReplayOptions['policy'] {
  return withConfig({ 'policy.yaml': text }, (file) => {
    const config = loadConfig(file);
    return { document: config.policy, vendors: config.vendors };
  });
}

const shipped = judgedBy(policy);
const everything = judgedBy(policy.replace('monitor', 'deny'));

function play(logs: Readonly<Record<string, string | Buffer>>, given: Partial<ReplayOptions> = {}): Promise<Replayed> {
  const sources = Object.entries(logs).map(([name, bytes]) => ({ name, bytes: Readable.from([Buffer.from(bytes)]) }));
  const all = { policy: shipped, against: null, format: null, at: null, from: -Infinity, to: Infinity, top: 20 };
  return replay(sources, { ...all, progress: () => undefined, ...given });
}

const july = (day: number): number => Date.UTC(2026, 6, day) / 1000;

function squid(at: number, client: string, host: string, user = '-'): string {
  return `${at.toFixed(3)} 10 ${client} TCP_TUNNEL/200 3981 CONNECT ${host}:443 ${user} HIER_DIRECT/1.2.3.4 -\n`;
}

const log = [
  squid(july(9), '192.0.2.1', 'www.acme.test'),
  squid(july(11), '192.0.2.1', 'www.acme.test', 'jane'),
  squid(july(11), '192.0.2.2', 'chat.acme.test', 'jane'),
  squid(july(11), '192.0.2.2', 'acme.test'),
  squid(july(11), '10.1.1.1', 'acme.test'),
  squid(july(11), '10.1.1.1', 'ai.corp.test'),
  squid(july(11), '10.1.1.1', 'chat.new.ai'),
  squid(july(11), '10.1.1.2', 'chat.new.ai'),
  squid(july(11), '10.1.1.2', 'www.example.com'),
  'broken: http://x/?secret=1\n',
].join('');

test('each attempt is judged at its own time, for its own client', async () => {
  const played = await play({ 'access.log': log });
  expect(played).toMatchObject({
    lines: 10,
    attempts: 9,
    users: 5,
    since: '2026-07-08T23:59:59.990Z',
    effects: { deny: { attempts: 3, users: 2 }, monitor: { attempts: 1, users: 1 }, allow: { attempts: 5, users: 2 } },
    byRule: [
      { rule: 'ban', effect: 'deny', attempts: 3, users: 2 },
      { rule: 'count', effect: 'monitor', attempts: 1, users: 1 },
      { rule: 'default-unlisted', effect: 'allow', attempts: 3, users: 2 },
      { rule: 'trial', effect: 'allow', attempts: 1, users: 1 },
      { rule: 'own', effect: 'allow', attempts: 1, users: 1 },
    ],
    byUser: {
      total: 3,
      atMost: 0,
      rows: [
        { user: 'jane', denied: 2, monitored: 0, vendors: { acme: 2 } },
        { user: '192.0.2.2', denied: 1 },
        { user: '192.0.2.1', denied: 0, monitored: 1 },
      ],
    },
    lookAlikes: { rows: [{ host: 'chat.new.ai', attempts: 2, users: 2, why: 'the word "chat", the domain .ai' }] },
    bad: { count: 1, first: [{ file: 'access.log', line: 10, text: 'broken: http://x/…' }] },
    changes: null,
  });
  expect(played.byVendor).toMatchObject([{ vendor: 'acme', denied: { attempts: 3 }, allowed: { attempts: 1 } }]);
});

test.each([
  ['GET http://ada:S3cret@intern.test/ broken', 'GET http://…'],
  ['GET http://ada:S3//cret@intern.test/ broken', 'GET http://…'],
  ['ada:S3cret@intern.test:443 broken', '…'],
  ['CONNECT ada:S3cret@intern.test:443', 'CONNECT …'],
  ['broken - ada@corp.test', 'broken - …'],
])('the excerpt of the bad line %j has no user information', async (line, text) => {
  const { bad } = await play({ 'access.log': `${log}${line}\n` });
  expect(bad.first.at(-1)).toMatchObject({ line: 11, text });
});

test('judged as of another time', async () => {
  const { effects } = await play({ 'access.log': log }, { at: Date.UTC(2026, 8, 1) });
  expect(effects.deny).toEqual({ attempts: 5, users: 4 });
});

test('only what came in between', async () => {
  const played = await play({ 'access.log': log }, { from: july(10) * 1000, to: july(12) * 1000 });
  expect(played).toMatchObject({ attempts: 8, skipped: { outside: 1 } });
});

test('says what another policy would change, for whom, with examples', async () => {
  const { changes } = await play({ 'access.log': log }, { against: everything });
  expect(changes?.newlyBlocked).toEqual({
    attempts: 1,
    users: 1,
    byVendor: [{ vendor: 'acme', attempts: 1, users: 1 }],
    byRule: [{ from: 'count', to: 'count', attempts: 1, users: 1 }],
    byUser: { rows: [{ user: '192.0.2.1', attempts: 1 }], total: 1, atMost: 0 },
    examples: [
      {
        at: '2026-07-08T23:59:59.990Z',
        user: '192.0.2.1',
        client: '192.0.2.1',
        host: 'www.acme.test',
        from: { effect: 'monitor', rule: 'count' },
        to: { effect: 'deny', rule: 'count' },
      },
    ],
  });
  const back = await play({ 'access.log': log }, { policy: everything, against: shipped });
  expect(back.changes).toMatchObject({ newlyAllowed: { attempts: 1 }, newlyBlocked: { attempts: 0 } });
});

test('several logs, each in its own format', async () => {
  const common = '192.0.2.9 - - [11/Jul/2026:00:00:00 +0000] "CONNECT acme.test:443 HTTP/1.1" 403 0\n';
  const ours = createAccessLine(null).finished(attempt({ host: 'acme.test', at: july(11) * 1000 }));
  const played = await play({ a: log, b: gzipSync(common), c: ours, d: 'nothing\n', e: '' });
  expect(played.files).toEqual([
    { file: 'a', format: 'squid', compression: 'none', lines: 10, attempts: 9, bad: 1, problem: null },
    { file: 'b', format: 'common', compression: 'gzip', lines: 1, attempts: 1, bad: 0, problem: null },
    { file: 'c', format: 'json', compression: 'none', lines: 1, attempts: 1, bad: 0, problem: null },
    { file: 'd', format: null, compression: 'none', lines: 1, attempts: 0, bad: 1, problem: null },
    { file: 'e', format: null, compression: 'none', lines: 0, attempts: 0, bad: 0, problem: null },
  ]);
});

test('a tunnel is not counted beside the requests that were read in it', async () => {
  const line = createAccessLine(null);
  const at = july(11) * 1000;
  const tunnel = 'aabbccddeeff001122334455';
  const requests = [1, 2].map(() =>
    line.finished(block({ host: 'acme.test', at, tunnel, clientAddress: '192.0.2.1' })),
  );
  const own = line.finished(attempt({ id: tunnel, host: 'acme.test', at, clientAddress: '192.0.2.1' }));
  const played = await play({ log: [...requests, own].join('') });
  expect(played).toMatchObject({ attempts: 2, effects: { deny: { attempts: 2 } }, skipped: { inside: 1 } });
});

test('a name that the TLS hello said is judged too', async () => {
  const at = july(11) * 1000;
  const hidden = attempt({ host: '192.0.2.77', hostKind: 'ipv4', at, service: null, clientAddress: '192.0.2.1' });
  const asked = { serverName: { host: hidden.arrival.target.host, service: null } };
  const text = createAccessLine(null).finished({ ...hidden, question: { ...hidden.question, ...asked } });
  const played = await play({ log: text.replace('"server_name":"192.0.2.77"', '"server_name":"acme.test"') });
  expect(played.byRule).toEqual([{ rule: 'ban', effect: 'deny', attempts: 1, users: 1 }]);
});

test('a name that was hidden in the TLS hello is judged as it was', async () => {
  const hidden = (host: string) => ({
    ...attempt({ host, at: july(11) * 1000, service: null, clientAddress: '192.0.2.1' }),
    decision: { ...allowed, ech: true as const },
  });
  const [twoNames, itself] = [hidden('corp.test'), hidden('cloudflare-ech.com')];
  const serverName = { host: itself.arrival.target.host, service: null };
  const own = createAccessLine(null);
  const log = own.finished({ ...twoNames, question: { ...twoNames.question, serverName } }) + own.finished(itself);
  const mild = judgedBy(`${policy}defaults: { ech: allow }\n`);
  const { byRule, changes } = await play({ log }, { against: mild });
  expect(byRule).toEqual([{ rule: 'encrypted-client-hello', effect: 'deny', attempts: 2, users: 1 }]);
  expect(changes?.newlyAllowed.byRule).toEqual([
    { from: 'encrypted-client-hello', to: 'default-unlisted', attempts: 2, users: 1 },
  ]);
});

test('what was hidden decides for no line of the same host that hid nothing', async () => {
  const plain = attempt({ host: 'cloudflare-ech.com', at: july(11) * 1000, service: null, clientAddress: '192.0.2.1' });
  const hidden = { ...plain, decision: { ...allowed, ech: true as const } };
  const own = createAccessLine(null);
  const { byRule } = await play({ log: [hidden, plain, hidden].map((one) => own.finished(one)).join('') });
  expect(byRule).toEqual([
    { rule: 'encrypted-client-hello', effect: 'deny', attempts: 2, users: 1 },
    { rule: 'default-unlisted', effect: 'allow', attempts: 1, users: 1 },
  ]);
});

test.each(['native', 'common', 'combined'])(
  'the %s log of a real Squid 5.7 is understood to the last line',
  async (name) => {
    const played = await play({ [name]: readFileSync(`test/fixtures/squid/${name}.log`) });
    expect(played).toMatchObject({ lines: 8, attempts: 6, skipped: { 'no-request': 2 }, bad: { count: 0 } });
  },
);

test('bare addresses are said to be judged by their hello', async () => {
  const { unnamed, effects } = await play({ log: squid(july(11), '10.1.1.1', '192.0.2.77') });
  expect([unnamed, effects.deny.attempts]).toEqual([1, 1]);
});
