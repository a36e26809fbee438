/** Chooses the assistant that a denial recommends instead of the denied service. */
import type { Assistant, Client } from '../flow.ts';
import type { Policy } from './compile.ts';
import type { Circumstances } from './decision.ts';
import { defaultFor } from './defaults.ts';
import { isAbout, isFor } from './entry.ts';
import { decidingEntry, isSpecific } from './deciding-entry.ts';
import { namesHosts, nearest } from './near.ts';
import { lifted } from './pauses.ts';
import { besides, subjectOf } from './subject.ts';

/**
 * Whether the client is denied the assistant by a rule about it, so that no denial recommends what is denied as well. A
 * default that denies unlisted hosts does not count, as browsers may reach the assistant in another way.
 */
function isDeniedAssistant(policy: Policy, assistant: Assistant, client: Client, now: number): boolean {
  const place = policy.places.get(assistant);
  if (place === undefined) return false;
  const { host, service } = place;
  const entry = decidingEntry(policy, subjectOf(host, service, policy.risksOf), client, now);
  if (entry !== null) return entry.effect === 'deny' && isSpecific(entry);
  if (service === null) return false;
  return lifted(policy.pauses, defaultFor(policy, 'name', service), service, now).effect === 'deny';
}

/**
 * The first of these that the client is not denied: the assistant of the rule, of the first matching choice, of the
 * client's site, of the policy.
 */
export function assistantOf(policy: Policy, id: string | undefined, circumstances: Circumstances): Assistant | null {
  const { subject, client, now } = circumstances;
  const isDenied = (assistant: Assistant): boolean =>
    now !== undefined && isDeniedAssistant(policy, assistant, client, now);
  const { assistants, document, risksOf } = policy;
  const named = id === undefined ? undefined : assistants.get(id);
  if (named !== undefined && !isDenied(named)) return named;
  const { assistantFor = [], sites = {}, defaultAssistant } = document;
  const subjects = assistantFor.length === 0 ? [] : [subject, ...besides(subject, risksOf)];
  const chosen = assistantFor.find(
    ({ what, groups = null, sites = null }) =>
      isFor({ groups, sites }, client) &&
      (!namesHosts(what) || nearest(what, subject.host, policy.sets) !== null) &&
      subjects.some((one) => isAbout({ what }, one)),
  );
  const ofSite = Object.entries(sites).find(([site, one]) => one.assistant !== undefined && client.groups.has(site));
  for (const next of [chosen?.assistant, ofSite?.[1].assistant, defaultAssistant]) {
    const assistant = assistants.get(next ?? '');
    if (assistant !== undefined && !isDenied(assistant)) return assistant;
  }
  return null;
}
