/** What `explain` says and what the proxy does are one: for policies, requests and times by chance. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createExplainer } from '../../src/cli/explanation.ts';
import { loadConfig } from '../../src/config/load.ts';
import { toPolicy } from '../../src/config/policy-document.ts';
import { policySchema } from '../../src/config/policy-schema.ts';
import type { Config } from '../../src/config/schema.ts';
import { snapshotOf } from '../../src/gateway/snapshot.ts';
import type { Decided } from '../../src/flow.ts';
import { repository } from '../support/lab.ts';
import { policies, requests, vendorIds, type PolicyWritten, type Request } from '../support/policies.ts';

const POLICIES = 1_000;
const REQUESTS = 10;

const wanted = new Set<string>([...vendorIds, 'google']);
const { vendors: all, tunnels } = loadConfig(`${repository}/config/sallyport.yaml`);
const vendors = all.filter(({ id }) => wanted.has(id));

function configOf(written: PolicyWritten): Pick<Config, 'policy' | 'vendors' | 'tunnels'> {
  return { policy: toPolicy(policySchema.parse(written)), vendors, tunnels };
}

const socket = new Socket();
const req = new IncomingMessage(socket);
const base = { id: '1', started: 0, clientPort: 1, userAgent: '', tunnel: null } as const;

/** What the proxy does, by the code that serves. */
function done(config: ReturnType<typeof configOf>): (request: Request) => Pick<Decided, 'decision' | 'action'> {
  const { identify, decide } = snapshotOf({ ...config, policyHash: 'written' }, () => false);
  return ({ target, path, address, user, at }) => {
    const common = { ...base, at, clientAddress: address, target, user: user ?? undefined };
    if (path === null) {
      const { question } = identify.connect({ ...common, kind: 'tunnel', socket, early: Buffer.alloc(0) });
      return decide(question, at);
    }
    const facts = { method: 'GET', scheme: 'http', httpVersion: '1.1', path, headers: {}, navigation: false } as const;
    const res = new ServerResponse(req);
    return decide(identify.request({ ...common, kind: 'request', facts, req, res }).question, at);
  };
}

const cases = fc.tuple(policies, fc.array(requests, { minLength: REQUESTS, maxLength: REQUESTS }));

test(`explain agrees with the proxy in ${POLICIES * REQUESTS} cases`, { timeout: 120_000 }, () => {
  const effects = new Map<string, number>();
  fc.assert(
    fc.property(cases, ([written, asked]) => {
      const config = configOf(written);
      const [proxy, explain] = [done(config), createExplainer(config)];
      for (const request of asked) {
        const { decision, action } = proxy(request);
        const moment = request.path === null ? 'connect' : 'request';
        const told = explain({ ...request, moment });
        const kind = `${told.considered[0]?.kind ?? ''} ${decision.effect}`;
        effects.set(kind, (effects.get(kind) ?? 0) + 1);
        expect(told).toMatchObject({ effect: decision.effect, rule: decision.rule, action: action.kind });
        expect(told.assistant).toEqual(decision.effect === 'deny' ? decision.denial.assistant : null);
        // Walked over rule by rule, the policy has the same winner as by its tables.
        const won = told.considered.filter(({ verdict }) => verdict === 'won').map(({ id }) => id);
        expect(won).toEqual([decision.rule]);
        expect(told.considered.every(({ why }) => why !== '')).toBe(true);
        for (const change of told.changes) {
          const at = Date.parse(change.at);
          expect(proxy({ ...request, at }).decision).toMatchObject({ effect: change.effect, rule: change.rule });
        }
      }
    }),
    { numRuns: POLICIES },
  );
  // By chance does not mean always the same: each kind of winner has won with each effect that it can have.
  for (const kind of ['rule', 'default']) {
    for (const effect of ['allow', 'deny', 'monitor'])
      expect(effects.get(`${kind} ${effect}`), kind).toBeGreaterThan(50);
  }
  expect(effects.get('exception allow')).toBeGreaterThan(50);
});

test('the order of the rules decides only between what is of the same rank', { timeout: 60_000 }, () => {
  // Each rule has a twin, so that there are ties.
  const shuffled = policies.chain((written) => {
    const rules = written.rules.flatMap((rule) => [rule, { ...rule, id: `${rule.id}-twin` }]);
    const whole = { minLength: rules.length, maxLength: rules.length };
    return fc.tuple(fc.constant({ ...written, rules }), fc.shuffledSubarray(rules, whole));
  });
  let ties = 0;
  fc.assert(
    fc.property(shuffled, fc.array(requests, { minLength: 5, maxLength: 5 }), ([written, rules], asked) => {
      const other = { ...written, rules };
      const [one, two, explain] = [done(configOf(written)), done(configOf(other)), createExplainer(configOf(written))];
      for (const request of asked) {
        const [first, second] = [one(request).decision, two(request).decision];
        expect(second.effect).toBe(first.effect);
        const told = explain({ ...request, moment: request.path === null ? 'connect' : 'request' });
        if (told.considered.some(({ why }) => why.endsWith('which comes before it in the file'))) ties += 1;
        else expect(second.rule).toBe(first.rule);
      }
    }),
    { numRuns: 300 },
  );
  expect(ties).toBeGreaterThan(10);
});
