/**
 * Recognises hosts whose names look like AI services. One strong sign suffices, or two weak ones: every shop has a
 * `chat`, and Gemini, Claude and Mistral are also the names of an exchange, a painter and a wind.
 */
import type { Hostname } from '../flow.ts';

interface Sign {
  readonly weight: number;
  readonly why: string;
}

const enough = 2;

const strong: ReadonlySet<string> = new Set([
  ...['ai', 'genai', 'aigc', 'llm', 'llms', 'vllm', 'chatbot', 'chatbots', 'aichat', 'chatai', 'copilot', 'copilots'],
  ...['openai', 'anthropic', 'deepseek', 'qwen', 'huggingface', 'ollama', 'openrouter', 'langchain', 'litellm'],
  ...[
    'midjourney',
    'txt2img',
    'text2image',
    'inference',
    'embeddings',
    'autogpt',
    'agentic',
    'diffusion',
    'claudecode',
  ],
]);

const weak: ReadonlySet<string> = new Set([
  ...['chat', 'assistant', 'prompt', 'prompts', 'completions', 'neural', 'imagine', 'bot'],
  ...['claude', 'gemini', 'mistral', 'mixtral', 'llama', 'grok', 'cohere', 'kimi', 'ernie', 'bard', 'sonnet'],
]);

/** Too common to be signs, except in the domain `.ai`. */
const usual: ReadonlySet<string> = new Set([
  ...['api', 'app', 'platform', 'console', 'agent', 'agents', 'models', 'model', 'code', 'coder', 'image', 'images'],
  ...['voice', 'speech', 'video', 'studio', 'gateway', 'relay', 'proxy'],
]);

/** Paths of model APIs. */
const paths: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\/v\d+\/(?:chat\/completions|completions|embeddings|responses|images\/generations)(?:[/?]|$)/, 'OpenAI'],
  [/\/v1\/(?:messages|complete)(?:[/?]|$)/, 'Anthropic'],
  [/:(?:streamGenerateContent|generateContent|embedContent)(?:[/?]|$)/, 'Gemini'],
  [/\/api\/(?:generate|chat|embed)(?:\?|$)/, 'Ollama'],
];

function signOf(word: string, dotAi: boolean): Sign | null {
  // A version is not part of the name: qwen3, llama2.
  const plain = word.replace(/\d+$/, '');
  const why = `the word "${word}"`;
  if (strong.has(word) || strong.has(plain)) return { weight: 2, why };
  if (/gpt|openai|chatbot|deepseek|ollama|^llm|[^aeiou]llms?$/.test(word)) return { weight: 2, why: `"${word}"` };
  if (weak.has(word) || weak.has(plain)) return { weight: 1, why };
  return dotAi && usual.has(word) ? { weight: 1, why } : null;
}

/** Why the host looks like an AI service, such as `the word "chat", the domain .ai`; null if it does not. */
export function looksLikeAi(host: Hostname): string | null {
  const dotAi = host.endsWith('.ai');
  const labels = host.split('.').slice(0, -1);
  const words = new Set(labels.flatMap((label) => label.split(/[-_]/)));
  const signs: readonly Sign[] = [
    ...Array.from(words, (word) => signOf(word, dotAi)).filter((sign) => sign !== null),
    ...(dotAi ? [{ weight: 1, why: 'the domain .ai' }] : []),
  ];
  const weight = signs.reduce((sum, sign) => sum + sign.weight, 0);
  return weight >= enough ? signs.map(({ why }) => why).join(', ') : null;
}

/** The API that a request's path belongs to; null if none. */
export function callsLikeAi(path: string): string | null {
  const api = paths.find(([pattern]) => pattern.test(path))?.[1];
  return api === undefined ? null : `a path of the ${api} API`;
}
