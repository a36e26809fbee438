import { expect, test } from 'vitest';
import type { RequestFacts, Wire } from '../../src/flow.ts';
import { dialectOf, headerOf } from '../../src/answers/dialect.ts';
import { asks, service } from './samples.ts';

const cases: readonly (readonly [path: string, headers: RequestFacts['headers'], catalogue: Wire, dialect: string])[] =
  [
    ['/', {}, 'none', 'none'],
    ['/', {}, 'cohere', 'cohere'],
    ['/v1/messages?beta=true', {}, 'none', 'anthropic'],
    ['/anthropic/v1/messages/count_tokens', {}, 'openai', 'anthropic'],
    ['/v1/messages', {}, 'copilot', 'anthropic'],
    ['/v1/threads/t/messages', {}, 'openai', 'openai'],
    ['/api/hello', { 'anthropic-version': '2023-06-01' }, 'none', 'anthropic'],
    ['/api/hello', { 'user-agent': 'claude-cli/2.1 (external)' }, 'none', 'anthropic'],
    ['/v1/chat/completions', {}, 'none', 'openai'],
    ['/v1/chat/completions?x=/v1/messages', {}, 'none', 'openai'],
    ['/backend-api/codex/responses', {}, 'none', 'openai'],
    ['/v1/responses/resp_1/cancel', {}, 'anthropic', 'openai'],
    ['/v1/chat/completions', {}, 'mistral', 'mistral'],
    ['/api/v1/chat/completions', {}, 'openrouter', 'openrouter'],
    ['/chat/completions', {}, 'copilot', 'copilot'],
    ['/left-pad', { 'user-agent': 'npm/10.8.2 node/v20.20.2 linux x64 workspaces/false' }, 'anthropic', 'npm'],
    ['/left-pad', { 'user-agent': 'pnpm/10.1.0 npm/? node/v24.0.0 linux x64' }, 'none', 'npm'],
    ['/chat/completions', {}, 'perplexity', 'perplexity'],
    ['/api/chat', { 'user-agent': 'ollama-js/0.6.4 (x64 linux Node.js/v24.21.0)' }, 'none', 'ollama'],
    ['/v1/chat/completions', {}, 'ollama', 'openai'],
    ['/api/internal?getUserInfo', { 'x-amp-client-type': 'cli' }, 'amp', 'amp'],
    ['/api/provider/anthropic/v1/messages', {}, 'amp', 'anthropic'],
    ['/chat-stream', { 'user-agent': 'augment.cli/0.36.0' }, 'augment', 'augment'],
    ['/v1/chat/completions', {}, 'huggingface', 'huggingface'],
    [
      '/v1/chat/completions',
      { 'user-agent': '@huggingface/inference/4.13.30 Node.js/24' },
      'huggingface',
      'huggingface',
    ],
    ['/x/resolve/main/config.json', { 'user-agent': 'unknown/None; hf_hub/1.2.3; python/3.13' }, 'none', 'huggingface'],
    ['/api/models/meta-llama/x?expand[]=inferenceProviderMapping', {}, 'none', 'huggingface'],
    ['/api/models/x', {}, 'openrouter', 'openrouter'],
    ['/openai/gpt-oss-20b/resolve/main/config.json', {}, 'none', 'huggingface'],
    ['/datasets/a/b/resolve/main/x.parquet', {}, 'none', 'huggingface'],
    ['/resolve?name=api.openai.com', {}, 'none', 'none'],
    ['/compatible-mode/v1/chat/completions', {}, 'none', 'dashscope'],
    ['/api/v1/services/aigc/text-generation/generation', {}, 'dashscope', 'dashscope-native'],
    ['/apps/anthropic/v1/messages', {}, 'dashscope', 'anthropic'],
    ['/v1beta/models/gemini-2.5-flash:generateContent', {}, 'none', 'gemini'],
    ['/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', {}, 'none', 'gemini'],
    ['/v1/projects/p/publishers/anthropic/models/claude:streamRawPredict', {}, 'none', 'gemini'],
    ['/v1internal:loadCodeAssist', {}, 'none', 'gemini'],
    ['/v1beta/models', { 'x-goog-api-key': 'k' }, 'none', 'gemini'],
    ['/v1beta/openai/chat/completions', {}, 'gemini', 'openai'],
    ['/model/anthropic.claude-3/invoke', { 'anthropic-version': '2023-06-01' }, 'none', 'bedrock'],
    ['/model/anthropic.claude-3/invoke-with-response-stream', {}, 'none', 'bedrock'],
    ['/model/anthropic.claude-3/converse-stream', {}, 'none', 'bedrock'],
    ['/foundation-models', { authorization: 'AWS4-HMAC-SHA256 Credential=x' }, 'none', 'bedrock'],
    ['/openai/deployments/gpt/chat/completions?api-version=1', {}, 'none', 'azure'],
    ['/v1/chat/completions', { 'user-agent': 'qoder/1.1.52' }, 'openai', 'qoder'],
    ['/backend-api/plugins', { 'user-agent': 'codex_cli_rs/0.1' }, 'none', 'openai'],
  ];

test.each(cases)('%s %o, catalogue %s: %s', (path, headers, wire, dialect) => {
  expect(dialectOf(asks({ path, headers }).facts, { ...service, wire })).toBe(dialect);
});

test('without a service the request alone tells', () => {
  expect(dialectOf(asks({ path: '/v1/messages' }).facts, null)).toBe('anthropic');
  expect(dialectOf(asks().facts, null)).toBe('none');
});

test('a field that is repeated or absent', () => {
  const { facts } = asks({ headers: { 'set-cookie': ['a', 'b'] } });
  expect([headerOf(facts, 'set-cookie'), headerOf(facts, 'origin')]).toEqual(['a, b', '']);
});
