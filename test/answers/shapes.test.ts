import { expect, test } from 'vitest';
import type { Wire } from '../../src/flow.ts';
import { shapeOf } from '../../src/answers/shapes.ts';
import { answers, asks, connects, id, jsonOf, message, policy, wired } from './samples.ts';

const strings = { ...policy };
const forbidden = { message, type: 'forbidden', param: null, code: 'blocked_by_policy' };

const cases: readonly (readonly [wire: Wire, status: number, body: object])[] = [
  ['anthropic', 400, { type: 'error', error: { type: 'invalid_request_error', message }, request_id: id, policy }],
  [
    'openai',
    400,
    { error: { message, type: 'invalid_request_error', param: null, code: 'blocked_by_policy' }, policy },
  ],
  [
    'gemini',
    403,
    {
      error: {
        code: 403,
        message,
        status: 'PERMISSION_DENIED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'BLOCKED_BY_POLICY',
            domain: 'sallyport',
            metadata: strings,
          },
        ],
      },
    },
  ],
  ['bedrock', 403, { message, policy }],
  ['azure', 403, { error: { code: 'PermissionDenied', message }, policy }],
  ['mistral', 403, { object: 'error', ...forbidden, error: forbidden, policy }],
  ['cohere', 403, { message, error: { message, code: 'blocked_by_policy' }, policy }],
  [
    'dashscope',
    403,
    { error: { message, type: 'AccessDenied', param: null, code: 'AccessDenied' }, request_id: id, policy },
  ],
  ['openrouter', 403, { error: { code: 403, message, metadata: { reasons: ['policy'], ...policy } }, user_id: null }],
  ['huggingface', 403, { error: message, message, code: 'blocked_by_policy', policy }],
  ['ollama', 403, { error: message, message, code: 'blocked_by_policy', policy }],
  ['assemblyai', 403, { error: message, message, code: 'blocked_by_policy', policy }],
  ['perplexity', 403, { error: { code: 403, message, type: 'blocked_by_policy' }, policy }],
  ['copilot', 400, { error: { message, code: 'blocked_by_policy' }, policy }],
  ['amp', 400, { ok: false, error: { code: message, message }, policy }],
  ['augment', 404, { error_details: { code: 0, message, detail: '' }, error: message, message, policy }],
  ['qoder', 451, universal()],
  ['none', 403, universal()],
];

function universal(): object {
  const error = { message, type: 'blocked_by_policy', code: 403, status: 'PERMISSION_DENIED' };
  return { message, error, type: 'error', detail: message, policy };
}

test('npm prints the error as a string, and the rest of the message after it', () => {
  const answer = answers.denied(wired('anthropic'), asks({ headers: { 'user-agent': 'npm/10.8.2 node/v24' } }));
  expect([answer.status, answer.name, JSON.parse(answer.body.toString())]).toEqual([
    403,
    'npm',
    { error: message, message, code: 'blocked_by_policy', policy },
  ]);
});

test.each(cases)('%s: %i', (wire, status, body) => {
  const answer = answers.denied(wired(wire), asks());
  expect(answer.status).toBe(status);
  expect(jsonOf(answer)).toEqual(body);
});

test.each(cases)('%s in the answer to a CONNECT: 403 and the same body', (wire, _status, body) => {
  const answer = answers.connectDenied(wired(wire), connects);
  expect([answer.name, answer.status]).toEqual(['connect', 403]);
  expect(jsonOf(answer)).toEqual(body);
});

test('what prints only the first key prints the message', () => {
  expect(Object.keys(jsonOf(answers.denied(wired('none'), asks())) as object)[0]).toBe('message');
});

test('AWS names the error in a field; Copilot is not told that GitHub answered', () => {
  const bedrock = answers.denied(wired('bedrock'), asks()).headers;
  expect(bedrock).toMatchObject({ 'x-amzn-errortype': 'AccessDeniedException', 'x-amzn-requestid': id });
  const names = Object.keys(answers.denied(wired('copilot'), asks()).headers).map((name) => name.toLowerCase());
  expect(names).not.toContain('x-github-request-id');
});

test('Hugging Face: the message in a field too, for a HEAD', () => {
  expect(answers.denied(wired('huggingface'), asks()).headers).toMatchObject({ 'X-Error-Message': message });
});

test('the older dialect of DashScope', () => {
  const body = shapeOf('dashscope-native').body({ message, id, policy });
  expect(body).toEqual({ code: 'AccessDenied', message, request_id: id, policy });
});
