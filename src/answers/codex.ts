/**
 * What Codex asks for before it asks for its model. A refusal of some of it hides the denial of the model call, or
 * buries it; only what is true here, or says nothing, is told instead.
 */
import type { RequestFacts } from '../flow.ts';
import { headerOf } from './dialect.ts';

/**
 * The lists that Codex takes as additions to what it brings, each empty in its own form. Not of its installed plugins:
 * those that are missing there might be removed.
 */
const emptyLists: readonly { readonly path: RegExp; readonly body: object }[] = [
  { path: /^\/(?:backend-api\/codex|api\/codex|v1)\/models(?:\?|$)/, body: { models: [] } },
  { path: /^\/(?:backend-api|api)\/ps\/plugins\/suggested(?:\/|\?|$)/, body: { plugins: [], enabled: false } },
];

export function isCodex(facts: RequestFacts): boolean {
  return /^codex/i.test(headerOf(facts, 'user-agent'));
}

/** The workspace that Codex asks about, or null where it asks for something else. */
export function workspaceAsked(facts: RequestFacts): string | null {
  if (facts.method !== 'GET' || !isCodex(facts)) return null;
  if (!/^\/(?:backend-api\/wham|api\/codex)\/accounts\/check(?:\?|$)/.test(facts.path)) return null;
  const workspace = headerOf(facts, 'chatgpt-account-id');
  return /^[\w-]{1,64}$/.test(workspace) ? workspace : null;
}

/** The empty list that Codex asks for, or null where it asks for something else. */
export function listAsked(facts: RequestFacts): object | null {
  if (facts.method !== 'GET' || !isCodex(facts)) return null;
  return emptyLists.find(({ path }) => path.test(facts.path))?.body ?? null;
}
