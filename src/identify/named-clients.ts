/** Users and networks that exceptions name, each as a group of its own: `user:NAME` and `network:CIDR`. */
import type { Group, PolicyDocument } from '../flow.ts';
import { indexMembers, type Members } from './members.ts';

const ofUser = 'user:';
const ofNetwork = 'network:';
const nobody: Group = { networks: [], users: [], forwarded: [] };

/** Null for a group that the policy defines. */
function groupNamed(id: string): Group | null {
  if (id.startsWith(ofUser)) return { ...nobody, users: [id.slice(ofUser.length)] };
  return id.startsWith(ofNetwork) ? { ...nobody, networks: [id.slice(ofNetwork.length)] } : null;
}

/** The groups and sites of a client, including those that exist because an exception names it. */
export function membersOf(policy: Pick<PolicyDocument, 'groups' | 'sites' | 'exceptions'>): Members {
  const groups: Record<string, Group> = { ...policy.groups };
  for (const id of new Set(policy.exceptions.flatMap((exception) => exception.groups ?? []))) {
    const group = groupNamed(id);
    if (group !== null) groups[id] = group;
  }
  return indexMembers({ groups, sites: policy.sites });
}
