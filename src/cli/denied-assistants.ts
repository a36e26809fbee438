/** Finds assistants that the policy denies to the clients it sends there. */
import { assistantAt } from '../config/assistant-host.ts';
import type { Warning } from '../config/lint.ts';
import type { Path } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';
import type { DomainSets } from '../decide/near.ts';
import type { PolicyDocument } from '../flow.ts';
import { createExplainer } from './explanation.ts';

/** Who is sent to an assistant, and where the policy says so. */
interface Sent {
  readonly assistant: string;
  /** A group or a site; null: clients in none. */
  readonly group: string | null;
  readonly path: Path;
}

interface Whom {
  readonly groups?: readonly string[] | undefined;
  readonly sites?: readonly string[] | undefined;
}

function sentBy(assistant: string | null | undefined, { groups, sites }: Whom, path: Path): Sent[] {
  if (assistant === null || assistant === undefined) return [];
  const named = [...(groups ?? []), ...(sites ?? [])];
  return (named.length === 0 ? [null] : named).map((group) => ({ assistant, group, path }));
}

/** In the order of our example policy: where several places send the same clients, the first is warned of. */
function allSent({ defaultAssistant, sites = {}, assistantFor = [], rules }: PolicyDocument, now: number): Sent[] {
  return [
    ...sentBy(defaultAssistant, {}, ['default_assistant']),
    ...Object.entries(sites).flatMap(([id, site]) =>
      sentBy(site.assistant, { sites: [id] }, ['sites', id, 'assistant']),
    ),
    ...assistantFor.flatMap((choice, i) => sentBy(choice.assistant, choice, ['assistant_for', i, 'assistant'])),
    ...rules.flatMap((rule, i) =>
      rule.effect === 'deny' && (rule.until ?? Infinity) > now
        ? sentBy(rule.assistant, rule, ['rules', i, 'assistant'])
        : [],
    ),
  ];
}

/**
 * One warning for each assistant and kind of client. Addresses are left out: a PAC file lets browsers connect directly
 * to private ones.
 *
 * @param now epoch milliseconds.
 */
export function deniedAssistants(config: Config, sets: DomainSets, now: number): Warning[] {
  const explain = createExplainer({ ...config, policy: config.policyOfFile }, sets);
  const told = new Set<string>();
  return allSent(config.policyOfFile, now).flatMap(({ assistant: id, group, path }) => {
    const url = config.policyOfFile.assistants.find((one) => one.id === id)?.url ?? '';
    const key = `${id} ${group ?? ''}`;
    const read = assistantAt(url);
    if (told.has(key) || read === null) return [];
    told.add(key);
    const { scheme, target, path: asked } = read;
    const moment = scheme === 'https' ? 'connect' : 'request';
    const nobody = { address: null, user: null, groups: group === null ? [] : [group] };
    const { effect, rule } = explain({ target, moment, path: asked, ...nobody, at: now });
    if (effect !== 'deny') return [];
    const whom = group === null ? 'clients in no group' : group;
    const message = `the assistant "${id}" is at ${target.host}, which ${rule} denies to ${whom}: they are offered no assistant, or are blocked again there; name another, or allow its address`;
    return [{ file: config.policyFile, path, message }];
  });
}
