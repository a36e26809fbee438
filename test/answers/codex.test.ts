import { expect, test } from 'vitest';
import { answers, asks, message, wired } from './samples.ts';

test.each(['openrouter', 'azure', 'mistral', 'dashscope'] as const)('its model at %s: 400', (wire) => {
  const path = '/api/v1/responses';
  const denied = (agent: string): { readonly status: number; readonly text: string } => {
    const answer = answers.denied(wired(wire), asks({ method: 'POST', path, headers: { 'user-agent': agent } }));
    return { status: answer.status, text: answer.body.toString() };
  };
  expect(denied('codex_exec/0.169.0')).toMatchObject({ status: 400 });
  expect(denied('codex_exec/0.169.0').text).toContain(message);
  expect(denied('OpenAI/JS 7.55.0').status).toBe(403);
});
