import { rmSync } from 'node:fs';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { explain } from '../../src/cli/explain.ts';
import { UsageError } from '../../src/cli/verb.ts';
import { makeConfig } from '../config/folder.ts';

interface Ran {
  readonly code: number;
  readonly out: readonly string[];
}

async function run(args: readonly string[]): Promise<Ran> {
  const out: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => out.push(line), env: {}, cwd: '.' };
  return { code: await explain.run(args, io), out };
}

const policy = `assistants:
  inhouse: { name: In-house, url: https://ai.corp.test/ }
default_assistant: inhouse
groups:
  staff: { networks: [10.0.0.0/8, 'fd00::/8'] }
rules:
  - { id: count, vendors: acme, until: 2026-07-10, effect: monitor, reason: Counted for now. }
  - { id: ban, vendors: acme, from: 2026-07-10, effect: deny, reason: Too risky., owner: Security, details: 'https://wiki.corp.test/ban' }
  - { id: own, domains: 127.0.0.1, effect: allow, reason: This machine. }
exceptions:
  - { id: trial, vendors: acme, groups: staff, until: 2026-08-01, approved_by: Ada, reason: A trial. }
`;
const settings = `policy: policy.yaml
outbound: { allow: ['127.0.0.1:8128'] }
`;
const dir = makeConfig({ 'policy.yaml': policy, 'sallyport.yaml': settings });
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const banned = ['--at', '2026-09-01'];

function runWith(...args: readonly string[]): Promise<Ran> {
  return run(['-c', `${dir}/sallyport.yaml`, ...args]);
}

async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { out } = await runWith(...args, '--json');
  return JSON.parse(out.join('\n')) as Record<string, unknown>;
}

test('--at now is what it is without --at', async () => {
  const before = Date.now();
  const { at } = (await json('acme.test', '--at', 'now')) as { at: string };
  expect(Date.parse(at)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(at)).toBeLessThanOrEqual(Date.now());
});

test('the example policy denies the API of Anthropic', async () => {
  const { code, out } = await run(['https://api.anthropic.com/v1/messages', '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(out.join('\n'))).toMatchObject({ effect: 'deny', vendor: 'anthropic', rule: 'claude-ban' });
});

test('prints every fact as JSON', async () => {
  const own = { vendor: 'acme', by: 'host' };
  expect(
    await json('https://www.acme.test/v1?key=1', '--client', '::ffff:10.0.0.7', '--user', 'ada', ...banned),
  ).toEqual({
    effect: 'deny',
    action: 'intercept',
    vendor: 'acme',
    product: 'chat',
    channel: 'direct',
    prohibited: null,
    operator: null,
    model: own,
    rule: 'ban',
    exception: null,
    reason: 'Too risky.',
    assistant: { id: 'inhouse', name: 'In-house', url: 'https://ai.corp.test/' },
    link: null,
    details: 'https://wiki.corp.test/ban',
    owner: 'Security',
    host: 'www.acme.test',
    port: 443,
    client: { address: '10.0.0.7', user: 'ada', forwarded: [] },
    groups: ['staff'],
    at: '2026-09-01T00:00:00.000Z',
    stages: [
      {
        moment: 'connect',
        channel: 'direct',
        known: 'the host alone identifies acme/chat; whose model answers: acme',
        effect: 'deny',
        rule: 'ban',
        vendor: 'acme',
        product: 'chat',
        model: own,
      },
      {
        moment: 'request',
        channel: 'direct',
        known: 'the request identifies acme/chat; whose model answers: acme',
        effect: 'deny',
        rule: 'ban',
        vendor: 'acme',
        product: 'chat',
        model: own,
      },
    ],
    considered: [
      expect.objectContaining({ verdict: 'won', kind: 'rule', id: 'ban', host: 'www.acme.test' }),
      expect.objectContaining({ verdict: 'lost', id: 'trial', why: 'no longer in force: until 2026-08-01T00:00Z' }),
      expect.objectContaining({ verdict: 'lost', id: 'count' }),
      expect.objectContaining({ verdict: 'lost', kind: 'default', id: 'default-catalogue' }),
    ],
    changes: [],
  });
});

test('prints the same for people', async () => {
  const { code, out } = await runWith('acme.test', ...banned);
  expect(code).toBe(1);
  expect(out).toEqual([
    'deny  acme.test:443  (acme/chat, direct)',
    '  rule       ban',
    '  reason     Too risky.',
    '  action     end TLS here and answer the client in its own language',
    '  assistant  In-house, https://ai.corp.test/',
    '  owner      Security',
    '  details    https://wiki.corp.test/ban',
    '  client     any client, in no group',
    '  at         2026-09-01T00:00:00.000Z',
    'considered:',
    '  won   rule ban (deny): the strongest that applies; it names the vendor acme',
    '  lost  exception trial (allow): no longer in force: until 2026-08-01T00:00Z',
    '  lost  rule count (monitor): no longer in force: until 2026-07-10T00:00Z',
    '  lost  default default-catalogue (monitor): defaults apply only where no rule or exception does',
    'changes: none, as the policy stands',
  ]);
});

test('tells when the answer will be another', async () => {
  const { out } = await runWith('acme.test', '--at', '2026-07-01', '--client', '10.0.0.7');
  expect(out.slice(out.indexOf('changes:'))).toEqual([
    'changes:',
    '  2026-08-01T00:00:00.000Z  deny by ban: Too risky.',
  ]);
  const shown = await json('acme.test', '--at', '2026-07-01');
  expect(shown['changes']).toEqual([
    { at: '2026-07-10T00:00:00.000Z', effect: 'deny', rule: 'ban', reason: 'Too risky.' },
  ]);
});

test('tells the next ten moments of a window, and not what happens to others', async () => {
  const file = makeConfig({
    'policy.yaml': `
time_zone: Europe/Berlin
rules:
  - { id: office, vendors: acme, windows: mon-fri 08:00-18:00, effect: deny, reason: Not at work. }
  - { id: other, domains: example.com, windows: daily 12:00-13:00, effect: deny, reason: Lunch. }
`,
  });
  onTestFinished(() => rmSync(file, { recursive: true, force: true }));
  const { out } = await run(['-c', `${file}/sallyport.yaml`, 'acme.test', '--at', '2026-10-23T12:00:00Z', '--json']);
  const { changes } = JSON.parse(out.join('\n')) as { changes: { at: string; rule: string }[] };
  expect(changes.map(({ at, rule }) => `${at} ${rule}`)).toEqual([
    '2026-10-23T16:00:00.000Z default-catalogue',
    '2026-10-26T07:00:00.000Z office',
    '2026-10-26T17:00:00.000Z default-catalogue',
    '2026-10-27T07:00:00.000Z office',
    '2026-10-27T17:00:00.000Z default-catalogue',
    '2026-10-28T07:00:00.000Z office',
    '2026-10-28T17:00:00.000Z default-catalogue',
    '2026-10-29T07:00:00.000Z office',
    '2026-10-29T17:00:00.000Z default-catalogue',
    '2026-10-30T07:00:00.000Z office',
  ]);
});

test.each([
  ['before the ban', ['acme.test', '--at', '2026-07-09T23:59:59Z'], 0, { effect: 'monitor', rule: 'count' }],
  ['from the ban on', ['acme.test', '--at', '2026-07-10T00:00:00Z'], 1, { effect: 'deny', rule: 'ban' }],
  [
    'an exception',
    ['acme.test', '--at', '2026-07-11', '--client', 'fd00::1'],
    0,
    { effect: 'allow', rule: 'trial', assistant: null, groups: ['staff'] },
  ],
  ['an http URL is a request', ['http://acme.test/a', ...banned], 1, { action: 'block', port: 80 }],
  ['a host with a port', ['ACME.test.:8443', ...banned], 1, { action: 'intercept', host: 'acme.test', port: 8443 }],
  [
    'an address that a rule names',
    ['127.0.0.1:8128'],
    0,
    { effect: 'allow', rule: 'own', vendor: null, product: null },
  ],
  ['an address that no rule names', ['203.0.113.9'], 1, { effect: 'deny', action: 'listen', channel: null }],
  [
    'an IPv6 address',
    ['2001:db8::1'],
    1,
    { host: '2001:db8::1', port: 443, client: { address: null, user: null, forwarded: [] } },
  ],
  ['an IPv6 address with a port', ['[2001:db8::1]:80'], 1, { host: '2001:db8::1', port: 80 }],
  ['an unlisted host', ['corp.test'], 0, { effect: 'allow', rule: 'default-unlisted', action: 'tunnel' }],
])('%s', async (_, args, code, expected) => {
  expect((await runWith(...args)).code).toBe(code);
  expect(await json(...args)).toMatchObject(expected);
});

test.each([
  [[], 'explain: name a URL or a host, such as https://claude.ai/'],
  [['a.test', 'b.test'], 'explain: it takes one URL or host; unexpected argument "b.test"'],
  [['foo bar'], 'explain: the target: "foo bar" has a character that is not allowed in host names'],
  [['ftp://a.test/'], 'explain: the target: "ftp://a.test/" is not a web URL; begin it with http:// or https://'],
  [['a.test:0'], 'explain: the target: "0" is not a port; ports are 1 to 65535'],
  [
    ['a.test', '--client', 'ada'],
    'explain: --client: "ada" is not an IP address; write one such as 10.0.0.7 or fd00::7',
  ],
  [
    ['a.test', '--client', '10.0.0.0/8'],
    'explain: --client: "10.0.0.0/8" is not an IP address; write one such as 10.0.0.7 or fd00::7',
  ],
  [['a.test', '--at', 'soon'], 'explain: --at: "soon" is not a date; write 2026-07-10 or 2026-07-10T08:00:00+02:00'],
])('wrong use: %j', async (args, message) => {
  await expect(runWith(...args)).rejects.toThrow(new UsageError(message));
});

test('a day begins in the time zone of the policy', async () => {
  const there = makeConfig({ 'policy.yaml': `time_zone: Europe/Berlin\n${policy}` });
  try {
    const { out } = await run(['-c', `${there}/sallyport.yaml`, 'acme.test', '--at', '2026-07-10', '--json']);
    expect(JSON.parse(out.join('\n'))).toMatchObject({ at: '2026-07-09T22:00:00.000Z', rule: 'ban' });
  } finally {
    rmSync(there, { recursive: true, force: true });
  }
});

test('an option that does not exist', async () => {
  await expect(runWith('a.test', '--nonsense')).rejects.toThrow(UsageError);
});

const bedrock = 'bedrock-runtime.us-east-1.amazonaws.com';
const invoke = `https://${bedrock}/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/invoke`;

test('says what is known of the model at which moment', async () => {
  const shipped = async (text: string): Promise<unknown> => {
    const { out } = await run([text, '-c', 'config/sallyport.yaml', '--at', '2026-09-01', '--json']);
    return JSON.parse(out.join('\n'));
  };
  const unknown = { vendor: null, by: 'path' };
  expect(await shipped(bedrock)).toMatchObject({
    vendor: 'aws',
    model: unknown,
    stages: [{ moment: 'connect', effect: 'monitor', model: unknown }],
  });
  expect(await shipped(invoke)).toMatchObject({
    effect: 'monitor',
    vendor: 'aws',
    channel: 'cloud',
    model: { vendor: 'anthropic', by: 'path' },
    stages: [
      {
        moment: 'connect',
        effect: 'monitor',
        channel: 'cloud',
        model: unknown,
        known: 'the host alone identifies aws/bedrock; whose model answers: unknown: the path tells it once it is read',
      },
      {
        moment: 'request',
        effect: 'deny',
        rule: 'claude-ban',
        vendor: 'aws',
        model: { vendor: 'anthropic', by: 'path' },
      },
    ],
  });
  expect(await shipped(invoke.replace('https', 'http'))).toMatchObject({
    effect: 'deny',
    model: { vendor: 'anthropic' },
    stages: [{ moment: 'request' }],
  });
  expect(await shipped('claude.googleapis.com')).toMatchObject({
    effect: 'deny',
    vendor: 'anthropic',
    operator: 'google',
  });
});

test('shows people the other vendors that have a part in it', async () => {
  const { out } = await run([invoke, '-c', 'config/sallyport.yaml', '--at', '2026-09-01']);
  expect(out).toContain('  model      anthropic, by path');
  expect(out).toContain(
    '  first      the host alone identifies aws/bedrock; whose model answers: unknown: the path tells it once it is read',
  );
  expect(out).toContain(
    '  inside     the request identifies aws/bedrock; whose model answers: anthropic, which is deny by claude-ban',
  );
  const part = await run(['https://x.com/i/grok', '-c', 'config/sallyport.yaml']);
  expect(part.out).toContain('  first      the host alone is not in the catalogue');
  const google = await run(['claude.googleapis.com', '-c', 'config/sallyport.yaml', '--at', '2026-09-01']);
  expect(google.out).toContain('  run by     google');
});
