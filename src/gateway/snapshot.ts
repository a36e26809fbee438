/** One policy with its catalogue and groups, compiled: what the lifecycle reads once for each attempt. */
import { fallBack } from '../act/fall-back.ts';
import { compile } from '../decide/compile.ts';
import { decide } from '../decide/decide.ts';
import { indexHosts } from '../decide/match.ts';
import { indexAccountCalls } from '../identify/account-calls.ts';
import { createIdentify } from '../identify/identify.ts';
import { indexMembers } from '../identify/members.ts';
import { indexServices } from '../identify/services.ts';
import type { Config } from '../config/schema.ts';
import type { Snapshot } from '../lifecycle.ts';

/** @param refusesLeaf whether the client at an address keeps refusing our leaves. */
export function snapshotOf(
  config: Pick<Config, 'policy' | 'vendors'>,
  refusesLeaf: (clientAddress: string) => boolean,
): Snapshot {
  const policy = compile(config.policy);
  const identify = createIdentify({
    services: indexServices(config.vendors, indexHosts),
    groups: indexMembers(config.policy),
    accountCalls: indexAccountCalls(config.vendors),
  });
  return {
    identify,
    decide(question, now) {
      const { decision, action } = decide(policy, question, now);
      return { decision, action: fallBack(action, question, refusesLeaf) };
    },
  };
}
