/** Claude Code, and what it asks for at its start, before it asks for its model. */
import type { RequestFacts } from '../flow.ts';
import { headerOf } from './dialect.ts';

export function isClaude(facts: RequestFacts): boolean {
  return /^claude-c(?:ode|li)\//.test(headerOf(facts, 'user-agent'));
}

/** Any of its start-up calls. Other vendors have the API of Anthropic below `/api/` too: what asks a model is none. */
export function isClaudeStart(facts: RequestFacts): boolean {
  return facts.path.startsWith('/api/') && !/\/v1\/(?:messages|models)\b/.test(facts.path) && isClaude(facts);
}

export function asksForFlags(facts: RequestFacts): boolean {
  return facts.method === 'POST' && /^\/api\/eval(?:-authed)?\//.test(facts.path) && isClaudeStart(facts);
}

/**
 * Its flags, in the form of GrowthBook: only those that say what is so here, that its telemetry goes nowhere and that
 * no directory of MCP servers is to be had. All others keep the value that it brings.
 */
export const flagsHere = {
  features: {
    tengu_frond_boric: { defaultValue: { firstParty: true, datadog: true } },
    tengu_mcp_directory_visibility: { defaultValue: [] },
  },
};
