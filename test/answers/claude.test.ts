import { expect, test } from 'vitest';
import { answers, asks, denial, jsonOf, message, wired } from './samples.ts';

const headers = { 'user-agent': 'claude-code/2.1.329' };

test.each(['/api/eval/sdk-x', '/api/eval-authed/sdk-x'])('%s: its telemetry and its directory are off', (path) => {
  expect(jsonOf(answers.denied(denial, asks({ method: 'POST', path, headers })))).toEqual({
    features: {
      tengu_frond_boric: { defaultValue: { firstParty: true, datadog: true } },
      tengu_mcp_directory_visibility: { defaultValue: [] },
    },
  });
});

test('another program that evaluates flags is told the denial', () => {
  const about = asks({ method: 'POST', path: '/api/eval/sdk-x', headers: { 'user-agent': 'growthbook/1' } });
  expect(answers.denied(denial, about)).toMatchObject({ name: 'anthropic', status: 400 });
});

test('its flags are no answer to anything else', () => {
  for (const facts of [
    { method: 'GET', path: '/api/eval/sdk-x', headers },
    { method: 'POST', path: '/api/event_logging/v2/batch', headers },
  ]) {
    expect(answers.denied(denial, asks(facts)).name).toBe('claude-start');
  }
});

test.each([
  ['/api/v1/messages?beta=true', 'openrouter', 'anthropic'],
  ['/api/anthropic/v1/messages?beta=true', 'openai', 'anthropic'],
  ['/anthropic/v1/messages', 'azure', 'anthropic'],
  ['/model/us.anthropic.claude-opus-5-5/invoke-with-response-stream', 'bedrock', 'bedrock'],
  ['/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude:streamRawPredict', 'gemini', 'gemini'],
] as const)('its model at %s: 451, in the form of %s', (path, wire, name) => {
  const about = asks({ method: 'POST', path, headers: { 'user-agent': 'claude-cli/2.1.329 (external, sdk-cli)' } });
  const answer = answers.denied(wired(wire), about);
  expect(answer).toMatchObject({ name, status: 451 });
  expect(answer.body.toString()).toContain(message);
  const library = asks({ method: 'POST', path, headers: { 'user-agent': 'Anthropic/JS 1.11.0' } });
  expect(answers.denied(wired(wire), library).status).not.toBe(451);
});
