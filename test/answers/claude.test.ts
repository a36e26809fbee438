import { expect, test } from 'vitest';
import { answers, asks, denial, jsonOf } from './samples.ts';

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
