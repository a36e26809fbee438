/**
 * Which API dialect a request uses. The request takes precedence over the catalogue: a relay, a cloud or Copilot
 * accepts several dialects on one host.
 */
import type { RequestFacts, Service, Wire } from '../flow.ts';

/** `dashscope-native` is the older of DashScope's two dialects, recognised by its path only; `npm` is not an AI API. */
export type Dialect = Wire | 'dashscope-native' | 'npm';

interface Sign {
  readonly dialect: Dialect;
  readonly shown: (path: string, header: (name: string) => string) => boolean;
}

const userAgent =
  (pattern: RegExp): Sign['shown'] =>
  (_path, header) =>
    pattern.test(header('user-agent'));
const path =
  (pattern: RegExp): Sign['shown'] =>
  (asked) =>
    pattern.test(asked);
const header =
  (name: string): Sign['shown'] =>
  (_path, field) =>
    field(name) !== '';

/** First match wins. Paths come before fields: Anthropic's Bedrock SDK sends `anthropic-version` to AWS paths too. */
const signs: readonly Sign[] = [
  { dialect: 'qoder', shown: userAgent(/^qoder/i) },
  { dialect: 'npm', shown: userAgent(/^(?:npm|pnpm|yarn)\//) },
  { dialect: 'dashscope-native', shown: path(/^\/api\/v1\/services\//) },
  { dialect: 'dashscope', shown: path(/^\/compatible-mode\//) },
  { dialect: 'bedrock', shown: path(/^\/model\/[^/]+\/(?:invoke|converse)(?:-|$)/) },
  { dialect: 'azure', shown: path(/^\/openai\/deployments\//) },
  { dialect: 'anthropic', shown: path(/\/v1\/(?:messages|complete)(?:\/|$)/) },
  {
    dialect: 'gemini',
    shown: path(/:(?:(?:stream)?generateContent|(?:stream)?rawPredict|predict|countTokens|(?:batch)?embedContents?)$/i),
  },
  { dialect: 'gemini', shown: path(/^\/v1internal:/) },
  {
    dialect: 'openai',
    shown: path(/\/(?:chat\/completions|completions|responses|embeddings|images\/generations|realtime)(?:\/|$)/),
  },
  { dialect: 'anthropic', shown: header('anthropic-version') },
  { dialect: 'gemini', shown: header('x-goog-api-key') },
  { dialect: 'bedrock', shown: (_path, field) => field('authorization').startsWith('AWS4-HMAC-SHA256') },
  { dialect: 'openai', shown: header('openai-beta') },
  { dialect: 'anthropic', shown: userAgent(/^(?:claude-cli|claude-code|anthropic)\//i) },
  { dialect: 'openai', shown: userAgent(/^(?:codex|openai\/)/i) },
  { dialect: 'gemini', shown: userAgent(/^(?:GeminiCLI|google-genai)/i) },
  { dialect: 'ollama', shown: userAgent(/^ollama(?:-js|-python)?\//) },
  { dialect: 'huggingface', shown: userAgent(/^@huggingface\/|\bhf_hub\//) },
];

/** The last resort: Hugging Face's hub is not an AI service, and not all its clients identify themselves. */
const hub = path(/^\/api\/(?:models|datasets|spaces)(?:\/|$)|^\/(?:[^/]+\/){1,3}(?:resolve|raw)\/[^/]+\//);

/** Dialects with OpenAI's paths but their own error format. */
const openaiPaths: ReadonlySet<Dialect> = new Set([
  'azure',
  'mistral',
  'dashscope',
  'openrouter',
  'perplexity',
  'huggingface',
  'copilot',
]);

/** `none` if neither the request nor the catalogue identifies the dialect. */
export function dialectOf(facts: RequestFacts, service: Service | null): Dialect {
  const asked = facts.path.split('?', 1)[0] ?? '';
  const known = service?.wire ?? 'none';
  const field = (name: string): string => headerOf(facts, name);
  const sign = signs.find(({ shown }) => shown(asked, field));
  if (sign === undefined) return known === 'none' && hub(asked, field) ? 'huggingface' : known;
  return sign.dialect === 'openai' && openaiPaths.has(known) ? known : sign.dialect;
}

/** The field's value, with repeated fields joined; empty if absent. */
export function headerOf({ headers }: RequestFacts, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : (value?.join(', ') ?? '');
}
