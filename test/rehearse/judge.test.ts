import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { compile } from '../../src/decide/compile.ts';
import { decide } from '../../src/decide/decide.ts';
import { indexHosts } from '../../src/decide/match.ts';
import { indexMembers } from '../../src/identify/members.ts';
import { indexServices } from '../../src/identify/services.ts';
import { createJudge } from '../../src/rehearse/judge.ts';
import { createTargets } from '../../src/rehearse/targets.ts';

const { policy: document, vendors } = loadConfig('config/sallyport.yaml');
const policy = compile(document);
const services = indexServices(vendors, indexHosts);
const groupsOf = indexMembers(document);

function pick<T>(all: readonly T[], random: () => number): T {
  const found = all[Math.floor(random() * all.length)];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}

/** The same numbers every time (Numerical Recipes' generator). */
function numbers(): () => number {
  let state = 7;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

test('remembers nothing that is not so: as decide says for each of 20,000 attempts in any order', () => {
  const random = numbers();
  const judge = createJudge({ document, vendors });
  const targetOf = createTargets();
  const hosts = [
    'claude.ai',
    'api.anthropic.com',
    'chatgpt.com',
    'chat.deepseek.com',
    'chat.mistral.ai',
    'example.com',
    '1.2.3.4',
  ];
  const clients = ['10.20.0.1', '10.30.0.1', '10.40.0.1', '192.0.2.1', 'fd00:20::1', 'pc-7.corp.test'];
  const moments = ['2026-07-09T23:59:59Z', '2026-07-10T00:00:00Z', '2027-06-29T12:00:00Z', '2027-06-30T00:00:00Z'].map(
    Date.parse,
  );
  const denied = new Set<boolean>();
  for (let i = 0; i < 20_000; i++) {
    const [host, client, at] = [pick(hosts, random), pick(clients, random), pick(moments, random)];
    const connect = random() < 0.5;
    const asked = connect ? targetOf('CONNECT', `${host}:443`) : targetOf('GET', `http://${host}/v1`);
    if (typeof asked === 'string') throw new Error(asked);
    const { decision } = decide(
      policy,
      {
        moment: asked.moment,
        client: { address: client, user: null, groups: groupsOf(client) },
        target: asked.target,
        service: services(asked.target.host, asked.path),
        serverName: null,
        navigation: false,
        denied: null,
      },
      at,
    );
    const { effect, rule } = judge(asked, client, null, at);
    expect({ effect, rule }).toEqual({ effect: decision.effect, rule: decision.rule });
    denied.add(effect === 'deny');
  }
  expect(denied.size).toBe(2);
});
