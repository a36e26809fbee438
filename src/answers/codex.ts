/**
 * Answers to the calls that Codex makes before it calls its model. Refusing some of them would hide or bury the denial
 * of the model call, so they get an answer that is true here, or empty.
 */
import type { RequestFacts } from '../flow.ts';
import { headerOf } from './dialect.ts';

/**
 * Empty answers for the lists that Codex adds to its built-in ones. The list of installed plugins is not among them:
 * Codex might remove plugins that are missing from it.
 */
const emptyLists: readonly { readonly path: RegExp; readonly body: object }[] = [
  { path: /^\/(?:backend-api\/codex|api\/codex|v1)\/models(?:\?|$)/, body: { models: [] } },
  { path: /^\/(?:backend-api|api)\/ps\/plugins\/suggested(?:\/|\?|$)/, body: { plugins: [], enabled: false } },
];

export function isCodex(facts: RequestFacts): boolean {
  return /^codex/i.test(headerOf(facts, 'user-agent'));
}

/** The workspace that Codex asks about, or null if this is another request. */
export function workspaceAsked(facts: RequestFacts): string | null {
  if (facts.method !== 'GET' || !isCodex(facts)) return null;
  if (!/^\/(?:backend-api\/wham|api\/codex)\/accounts\/check(?:\?|$)/.test(facts.path)) return null;
  const workspace = headerOf(facts, 'chatgpt-account-id');
  return /^[\w-]{1,64}$/.test(workspace) ? workspace : null;
}

/** The empty list that answers this request, or null if it does not ask for one of the lists. */
export function listAsked(facts: RequestFacts): object | null {
  if (facts.method !== 'GET' || !isCodex(facts)) return null;
  return emptyLists.find(({ path }) => path.test(facts.path))?.body ?? null;
}
