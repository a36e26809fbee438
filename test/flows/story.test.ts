/**
 * The story of the example policy, as it is shipped, played through by moving the clock: the whole product, real
 * sockets, each person at the address of their network by the header of a load balancer.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { repository, type Lab } from '../support/lab.ts';
import { labOfTest, tlsOrigin } from '../support/origins.ts';
import { exchange } from '../support/streams.ts';
import { askOver, connectHead, readHead, tlsOver } from '../support/tunnels.ts';

const hosts = [
  'claude.ai',
  'api.anthropic.com',
  'chatgpt.com',
  'api.openai.com',
  'qoder.com',
  'chat.qwen.ai',
  'chat.deepseek.com',
  'chat.mistral.ai',
  'example.com',
] as const;

const people = {
  staff: '10.9.0.1',
  designer: '10.20.3.4',
  researcher: '10.30.0.9',
  european: '10.40.1.2',
} as const;
type Person = keyof typeof people;

function comesFrom(person: Person): string {
  return `PROXY TCP4 ${people[person]} 127.0.0.1 4711 3128\r\n`;
}

const before = '2026-07-09T23:59:59.999Z';
const from = '2026-07-10T00:00:00.000Z';
const lastDay = '2027-06-29T23:59:59.999Z';
const over = '2027-06-30T00:00:00.000Z';

type Step = readonly [at: string, who: Person, host: string, effect: 'allow' | 'monitor' | 'deny', rule: string];
const steps: readonly Step[] = [
  // Claude is banned from 10 July, and counted before.
  ['2026-06-01T09:00:00Z', 'staff', 'claude.ai', 'monitor', 'claude-count'],
  [before, 'staff', 'api.anthropic.com', 'monitor', 'claude-count'],
  [from, 'staff', 'api.anthropic.com', 'deny', 'claude-ban'],
  [from, 'staff', 'claude.ai', 'deny', 'claude-ban'],
  [from, 'designer', 'claude.ai', 'deny', 'claude-ban'],
  [from, 'european', 'claude.ai', 'deny', 'claude-ban'],
  // The assistant, and what is approved beside it.
  [from, 'staff', 'qoder.com', 'allow', 'qoder-approved'],
  [from, 'staff', 'chat.qwen.ai', 'allow', 'qwen-approved'],
  [from, 'staff', 'example.com', 'allow', 'default-unlisted'],
  // ChatGPT is denied to chip designers alone.
  [from, 'designer', 'chatgpt.com', 'deny', 'chatgpt-chip-design'],
  [from, 'staff', 'chatgpt.com', 'monitor', 'default-catalogue'],
  // The office in another region follows other rules.
  [from, 'european', 'chat.deepseek.com', 'deny', 'deepseek-eu'],
  [from, 'staff', 'chat.deepseek.com', 'monitor', 'deepseek-count'],
  [from, 'european', 'chat.mistral.ai', 'allow', 'mistral-eu'],
  [from, 'staff', 'chat.mistral.ai', 'monitor', 'default-catalogue'],
  // The research group keeps Claude until its exception runs out.
  [from, 'researcher', 'claude.ai', 'allow', 'claude-research'],
  [lastDay, 'researcher', 'api.anthropic.com', 'allow', 'claude-research'],
  [over, 'researcher', 'api.anthropic.com', 'deny', 'claude-ban'],
];

/** The way round: what people try when the front door is closed, asked for in the clear. */
const detours: readonly (readonly [url: string, rule: string])[] = [
  // Another cloud's copy of the model.
  ['http://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-sonnet-4-v1%3A0/converse', 'claude-ban'],
  // A translator that carries the page.
  ['http://claude-ai.translate.goog/', 'claude-ban'],
  // A raw address.
  ['http://203.0.113.9/v1/messages', 'default-raw-address'],
];

/** What has been recorded last about a host. */
function recorded(lab: Lab, host: string): readonly (string | undefined)[] {
  const { rule, sallyport } = lab.lines().findLast((line) => line.url?.domain === host) ?? {};
  return [rule?.id, sallyport?.['effect']];
}

test('the example policy tells its story as the clock moves', { timeout: 30_000 }, async () => {
  let now = 0;
  const certificate = makeCertificate(...hosts);
  onTestFinished(() => certificate.remove());
  const origin = await tlsOrigin(certificate, (_, res) => void res.end('the origin'));
  const lab = await labOfTest({
    policy: readFileSync(join(repository, 'config/policy.yaml'), 'utf8'),
    now: () => now,
    settings: {
      listen: {
        proxy: '127.0.0.1:0',
        pages: '127.0.0.1:0',
        admin: '127.0.0.1:0',
        proxy_protocol: { trusted: ['127.0.0.1'] },
      },
      outbound: { hosts: Object.fromEntries(hosts.map((host) => [host, '127.0.0.1'])), allow: ['127.0.0.1', ...hosts] },
    },
  });

  /** What somebody sees who asks for a host: the origin's words, or those of the denial. */
  const ask = async (who: Person, host: string): Promise<string> => {
    const socket = connect({ port: lab.proxyPort, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write(comesFrom(who) + connectHead(`${host}:${origin.port}`));
    expect(await readHead(socket)).toContain(' 200 ');
    const tls = await tlsOver(socket, { ca: [lab.ca, certificate.cert], servername: host });
    const { body } = await askOver(tls, { headers: { host: `${host}:${origin.port}`, connection: 'close' } });
    tls.destroy();
    return body;
  };

  for (const [at, who, host, effect, rule] of steps) {
    const step = `${at} ${who} ${host}`;
    now = Date.parse(at);
    const lines = lab.lines().length;
    const seen = await ask(who, host);
    if (effect === 'deny') expect(seen, step).toContain(rule);
    else expect(seen, step).toBe('the origin');
    await expect.poll(() => lab.lines().length).toBeGreaterThan(lines);
    expect(recorded(lab, host), step).toEqual([rule, effect]);
  }

  now = Date.parse(from);
  for (const [url, rule] of detours) {
    const { host } = new URL(url);
    const text = `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    expect(await exchange(lab.proxyPort, comesFrom('staff') + text), url).toContain(rule);
  }

  // What can be proved afterwards: who was denied what, by which rule, and what was let through and counted before.
  expect(await lab.metric('sallyport_blocked_total', 'rule="claude-ban"')).toBe(7);
  expect(await lab.metric('sallyport_blocked_total', 'rule="chatgpt-chip-design"')).toBe(1);
  expect(await lab.metric('sallyport_would_deny_total', 'rule="claude-count"')).toBe(2);
});
