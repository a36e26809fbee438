/** Recognises Claude Code and the calls that it makes at start-up, before it calls its model. */
import type { RequestFacts } from '../flow.ts';
import { headerOf } from './dialect.ts';

export function isClaude(facts: RequestFacts): boolean {
  return /^claude-c(?:ode|li)\//.test(headerOf(facts, 'user-agent'));
}

/** Any of its start-up calls. Other vendors serve Anthropic's API below `/api/` too, so model calls are excluded. */
export function isClaudeStart(facts: RequestFacts): boolean {
  return facts.path.startsWith('/api/') && !/\/v1\/(?:messages|models)\b/.test(facts.path) && isClaude(facts);
}

export function asksForFlags(facts: RequestFacts): boolean {
  return facts.method === 'POST' && /^\/api\/eval(?:-authed)?\//.test(facts.path) && isClaudeStart(facts);
}

/**
 * Feature flags in GrowthBook's format. They only state what is true behind this proxy: no telemetry is delivered, and
 * no directory of MCP servers is available. All other flags keep their built-in values.
 */
export const flagsHere = {
  features: {
    tengu_frond_boric: { defaultValue: { firstParty: true, datadog: true } },
    tengu_mcp_directory_visibility: { defaultValue: [] },
  },
};
