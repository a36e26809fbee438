import { expect, test } from 'vitest';
import { callsLikeAi, looksLikeAi } from '../../src/rehearse/look-alike.ts';
import { host } from '../record/attempts.ts';

test.each([
  ['api.foo.ai', 'the word "api", the domain .ai'],
  ['chat.foo.ai', 'the word "chat", the domain .ai'],
  ['ai.example.com', 'the word "ai"'],
  ['my-ai-tool.example.com', 'the word "ai"'],
  ['chatgpt-mirror.example.net', '"chatgpt"'],
  ['freegpt.example.org', '"freegpt"'],
  ['gpt4.example.org', '"gpt4"'],
  ['llm-gateway.example.com', 'the word "llm"'],
  ['myllm.example.com', '"myllm"'],
  ['qwen3.example.cn', 'the word "qwen3"'],
  ['copilot.example.com', 'the word "copilot"'],
  ['claude-chat.example.com', 'the word "claude", the word "chat"'],
  ['inference.example.com', 'the word "inference"'],
])('%s looks like AI', (name, why) => {
  expect(looksLikeAi(host(name))).toBe(why);
});

test.each([
  'www.google.com',
  'mail.example.com',
  'livechat.example.com',
  'chat.example.com',
  'chat-api.shop.example',
  'gemini.com',
  'jean-claude.example.fr',
  'mistral-hotel.example.fr',
  'api.example.com',
  'www.foo.ai',
  'hallmark.com',
  'fullmoon.example',
  'air.example.com',
  'mail.thai.example',
  'images.code.example.com',
  'paint.example',
  'egypt.example',
  'ai',
])('%s does not', (name) => {
  expect(looksLikeAi(host(name))).toBeNull();
});

test.each([
  ['/v1/chat/completions', 'OpenAI'],
  ['/api/v2/embeddings?x', 'OpenAI'],
  ['/v1/messages', 'Anthropic'],
  ['/v1beta/models/gemini-pro:generateContent', 'Gemini'],
  ['/api/generate', 'Ollama'],
])('%s is a path of %s', (path, vendor) => {
  expect(callsLikeAi(path)).toBe(`a path of the ${vendor} API`);
});

test.each(['/', '/v1/messages-of-the-day', '/inbox/messages', '/api/chats'])('%s is no such path', (path) => {
  expect(callsLikeAi(path)).toBeNull();
});
