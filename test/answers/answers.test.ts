import { validateHeaderName, validateHeaderValue } from 'node:http';
import { describe, expect, test } from 'vitest';
import { answerTable } from '../../src/answers/classes.ts';
import { serialize } from '../../src/act/write.ts';
import { createAnswers } from '../../src/answers/answers.ts';
import type { About } from '../../src/answers/settings.ts';
import type { Answer, Denial, Wire } from '../../src/flow.ts';
import * as samples from './samples.ts';
import {
  answers,
  asks,
  assistantUrl,
  connects,
  denial,
  id,
  jsonOf,
  message,
  settings,
  target,
  textOf,
  visits,
} from './samples.ts';

const hostileAnswers = createAnswers(samples.hostileSettings, serialize);
const hostileFields = { origin: samples.hostile, referer: samples.hostile, 'user-agent': samples.hostile };

const wires: readonly Wire[] = [
  'anthropic',
  'openai',
  'gemini',
  'bedrock',
  'azure',
  'mistral',
  'cohere',
  'dashscope',
  'openrouter',
  'huggingface',
  'ollama',
  'assemblyai',
  'perplexity',
  'copilot',
  'amp',
  'augment',
  'qoder',
  'none',
];

const everyForm: readonly (readonly [string, About])[] = [
  ['page', visits(hostileFields)],
  ['json', asks({ headers: hostileFields, path: `/${samples.hostile}` })],
  ['grpc', asks({ httpVersion: '2.0', headers: { ...hostileFields, 'content-type': 'application/grpc' } })],
  ['connect-stream', asks({ headers: { 'content-type': 'application/connect+json' } })],
  ['connect-rpc', asks({ headers: { 'connect-protocol-version': samples.hostile } })],
  ['git', asks({ headers: { 'user-agent': `git/${samples.hostile}` } })],
  ['go-modules', asks({ headers: { 'user-agent': 'Go-http-client/1.1' }, path: `/${samples.hostile}/@v/list` })],
  ['codex-websocket', asks({ headers: { upgrade: 'websocket', 'user-agent': `codex${samples.hostile}` } })],
  ['browser', asks({ headers: { origin: samples.hostile } })],
  ['subresource', asks({ headers: { 'sec-fetch-dest': 'image', referer: samples.hostile } })],
  ['grpc-web', asks({ headers: { ...hostileFields, 'content-type': `application/grpc-web;${samples.hostile}` } })],
  [
    'claude-flags',
    asks({
      method: 'POST',
      path: `/api/eval/${samples.hostile}`,
      headers: { 'user-agent': `claude-code/${samples.hostile}` },
    }),
  ],
  ['doh', asks({ path: `/dns-query?dns=${samples.hostile}`, headers: { accept: 'application/dns-message' } })],
  ['httpdns', asks({ path: `/183012/ss?${samples.hostile}` })],
  [
    'claude-start',
    asks({ path: `/api/${samples.hostile}`, headers: { 'user-agent': `claude-code/${samples.hostile}` } }),
  ],
  [
    'codex-workspace',
    asks({
      path: `/backend-api/wham/accounts/check?${samples.hostile}`,
      headers: { 'user-agent': `codex${samples.hostile}`, 'chatgpt-account-id': 'acct-1' },
    }),
  ],
  [
    'codex-list',
    asks({
      path: `/backend-api/codex/models?${samples.hostile}`,
      headers: { 'user-agent': `codex${samples.hostile}` },
    }),
  ],
  [
    'preflight',
    asks({
      method: 'OPTIONS',
      headers: {
        origin: 'https://a.example',
        'access-control-request-method': samples.hostile,
        'access-control-request-headers': samples.hostile,
      },
    }),
  ],
  ['CONNECT', connects],
];

function expectSound(answer: Answer): void {
  expect(answer.reason).toMatch(/^[ -~]{1,99}$/);
  for (const [name, value] of Object.entries(answer.headers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    expect(value, name).toMatch(/^[ -~]+$/);
    expect(value.length, name).toBeLessThan(3000);
  }
  expect(answer.headers).toMatchObject({
    Date: 'Mon, 03 Aug 2026 09:41:00 GMT',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Sallyport-Id': id,
  });
  const names = Object.keys(answer.headers).map((name) => name.toLowerCase());
  for (const never of ['set-cookie', 'strict-transport-security', 'content-length', 'connection', 'retry-after'])
    expect(names).not.toContain(never);
  expect(answer.headers['Access-Control-Allow-Origin']).not.toBe('*');
  expect(answer.body.length).toBeLessThan(20_000);
  expect(textOf(answer)).not.toMatch(/<script|<img/);
  if (answer.headers['Content-Type']?.startsWith('application/json') === true) jsonOf(answer);
}

describe('hostile text', () => {
  test('is tried on every row of the table', () => {
    const tried = everyForm.map(([name]) => (name === 'json' ? 'wire' : name));
    expect(answerTable.map(({ name }) => name).filter((name) => !tried.includes(name))).toEqual([]);
  });

  test.each(everyForm)('%s: a sound answer', (name, about) => {
    for (const wire of wires) {
      const service = { ...samples.service, ...samples.hostileDenial.service, wire };
      const denied: Denial = { ...samples.hostileDenial, service };
      const answer = hostileAnswers.denied(denied, about);
      if (name !== 'json' && name !== 'CONNECT') expect(answer.name).toBe(name);
      // JSON may hold "<script" as text; it is no markup there.
      const type = answer.headers['Content-Type'] ?? '';
      expectSound(/html/.test(type) ? answer : { ...answer, body: Buffer.from(textOf(answer).replaceAll('<', '')) });
    }
  });

  test('it is shown as it is written, and turns nothing round', () => {
    const page = textOf(hostileAnswers.denied(samples.hostileDenial, visits()));
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;');
    expect(page).toContain('$&amp; $1 [U+202E]evil');
    expect(page).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
  });
});

describe('a refused CONNECT', () => {
  const answer = answers.connectDenied(denial, connects);

  test('says in the status line where to go', () => {
    expect(answer.reason).toBe(`Blocked by company policy - use ${assistantUrl}`);
    expect(answer.headers['Content-Type']).toBe('application/json');
  });

  test('says why in the field of RFC 9209', () => {
    expect(answer.headers['Proxy-Status']).toBe(`sallyport; error=http_request_denied; details="${message}"`);
    expect(answer.headers['X-Proxy-Error']).toBe('policy_denied');
  });

  test('is what a denial without facts is, too', () => {
    expect(answers.denied(denial, connects)).toEqual(answer);
  });
});

describe('an immediate redirect', () => {
  const immediate: Denial = { ...denial, redirect: 'immediate' };
  const withQuery = { ...immediate, assistant: { id: 'q', name: 'Q', url: 'https://q.example/a?lang=en&x=%20#top' } };

  test('is a 303 with the signed context', () => {
    const answer = answers.redirected(immediate, visits());
    expect([answer.name, answer.status]).toEqual(['redirect', 303]);
    expect(answer.headers['Location']).toBe(`${assistantUrl}?sallyport=anthropic-${id}-${samples.at}`);
    expectSound(answer);
  });

  test("keeps the assistant's own query", () => {
    const { headers } = answers.redirected(withQuery, visits());
    expect(headers['Location']).toBe(`https://q.example/a?lang=en&x=%20&sallyport=anthropic-${id}-${samples.at}#top`);
  });

  test.each<[string, Denial, About, string]>([
    ['a fetch', immediate, asks(), 'anthropic'],
    ['a form that is posted', immediate, visits({}, 'POST'), 'page'],
    ['a frame', immediate, visits({ 'sec-fetch-dest': 'iframe' }), 'page'],
    ['a CONNECT', immediate, connects, 'connect'],
    ['no assistant', { ...immediate, assistant: null }, visits(), 'page'],
    [
      'an assistant that is not on the web',
      { ...immediate, assistant: { id: 'q', name: 'Q', url: 'javascript:alert(1)' } },
      visits(),
      'page',
    ],
    ['an assistant at the denied address', immediate, { ...visits(), target: target('assistant.example') }, 'page'],
  ])('%s is not redirected', (_what, denied, about, name) => {
    const answer = answers.redirected(denied, about);
    expect(answer.name).toBe(name);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.headers['Location']).toBeUndefined();
  });

  test('goes where the configuration says, whatever the request says', () => {
    const path = '/?next=//evil.test&url=javascript:alert(1)%0d%0aSet-Cookie:a=b';
    const about = asks({ navigation: true, path, headers: { host: 'evil.test', referer: 'https://evil.test/' } });
    expect(new URL(answers.redirected(immediate, about).headers['Location'] ?? '').origin).toBe(
      'https://assistant.example',
    );
  });
});

describe('an upgrade', () => {
  const websocket = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };

  test('of a WebSocket is closed with 1008 and a reason', () => {
    const denied = answers.upgradeDenied(denial, asks({ headers: websocket }));
    const reason = `Blocked by company policy: Claude Code. Use ${assistantUrl} Ref ${id}`;
    expect(denied).toMatchObject({ kind: 'close', code: 1008, reason });
    const fields = ['Date', 'Proxy-Status', 'X-Proxy-Error', 'X-Sallyport-Id', 'Cache-Control', 'x-should-retry'];
    for (const name of fields) expect(denied, name).toHaveProperty(['headers', name], expect.any(String));
  });

  test('of Codex is answered', () => {
    const headers = { ...websocket, 'user-agent': 'codex_cli_rs/0.1' };
    expect(answers.upgradeDenied(denial, asks({ headers }))).toMatchObject({ kind: 'answer', answer: { status: 400 } });
  });

  test('that is no handshake is answered', () => {
    const keyless = { upgrade: 'websocket', connection: 'Upgrade' };
    expect(answers.upgradeDenied(denial, asks({ headers: keyless }))).toMatchObject({ kind: 'answer' });
    expect(answers.upgradeDenied(denial, asks({ headers: websocket, method: 'HEAD' }))).toMatchObject({
      kind: 'answer',
    });
  });

  test('to anything else is answered', () => {
    expect(answers.upgradeDenied(denial, asks({ headers: { upgrade: 'h2c' } }))).toMatchObject({ kind: 'answer' });
  });

  test('close reasons fit into a control frame, whatever the policy says', () => {
    const wide = '漢'.repeat(70);
    for (const denied of [
      samples.hostileDenial,
      { ...denial, assistant: { id: 'a', name: wide, url: `https://a.example/${'x'.repeat(200)}` } },
      {
        ...denial,
        assistant: { id: 'a', name: wide, url: 'none' },
        service: { ...samples.service, productName: wide },
      },
    ]) {
      const { reason } = hostileAnswers.websocketClose(denied, asks());
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
      expect(reason).toMatch(/^Blocked by company policy/);
    }
  });
});

test('the same request gives the same bytes', () => {
  expect(createAnswers(settings, serialize).denied(denial, visits())).toEqual(answers.denied(denial, visits()));
});
