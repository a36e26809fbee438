import { describe, expect, test } from 'vitest';
import type { Denial, RequestFacts } from '../../src/flow.ts';
import { answerTable } from '../../src/answers/classes.ts';
import { answers, asks, denial, jsonOf, message, policy, textOf, wired } from './samples.ts';

interface Case {
  readonly client: string;
  readonly facts: Partial<RequestFacts>;
  readonly denial?: Denial;
  readonly name: string;
  readonly status: number;
  readonly type: string | undefined;
}

const json = 'application/json';
const text = 'text/plain; charset=utf-8';

const cases: readonly Case[] = [
  {
    client: 'a browser that goes to a page',
    facts: { navigation: true, headers: { 'sec-fetch-mode': 'navigate' } },
    name: 'page',
    status: 403,
    type: 'text/html; charset=utf-8',
  },
  {
    client: 'a browser that posts a form',
    facts: { navigation: true, method: 'POST', headers: { origin: 'https://claude.ai', 'sec-fetch-site': 'none' } },
    name: 'page',
    status: 403,
    type: 'text/html; charset=utf-8',
  },
  {
    client: 'gRPC',
    facts: { method: 'POST', httpVersion: '2.0', headers: { 'content-type': 'application/grpc+proto' } },
    name: 'grpc',
    status: 200,
    type: 'application/grpc',
  },
  {
    client: 'gRPC-Web',
    facts: { method: 'POST', headers: { 'content-type': 'application/grpc-web+proto; charset=utf-8' } },
    name: 'grpc-web',
    status: 200,
    type: 'application/grpc-web+proto',
  },
  {
    client: 'gRPC said on HTTP/1.1, where it cannot be',
    facts: { method: 'POST', headers: { 'content-type': 'application/grpc' } },
    name: 'anthropic',
    status: 400,
    type: json,
  },
  {
    client: 'a Connect stream',
    facts: { method: 'POST', headers: { 'content-type': 'application/connect+proto' } },
    name: 'connect-stream',
    status: 200,
    type: 'application/connect+proto',
  },
  {
    client: 'a Connect call',
    facts: { method: 'POST', headers: { 'content-type': 'application/proto', 'connect-protocol-version': '1' } },
    name: 'connect-rpc',
    status: 403,
    type: json,
  },
  {
    client: 'a WebSocket of Codex',
    facts: { headers: { upgrade: 'websocket', 'user-agent': 'codex_exec/0.169.0 (Debian)' } },
    name: 'codex-websocket',
    status: 400,
    type: text,
  },
  {
    client: 'Codex that asks for its workspace',
    facts: {
      path: '/backend-api/wham/accounts/check?x=1',
      headers: { 'user-agent': 'codex_exec/0.169.0', 'chatgpt-account-id': '0a1b-2c' },
    },
    name: 'codex-workspace',
    status: 200,
    type: json,
  },
  {
    client: 'Codex that names no workspace',
    facts: { path: '/backend-api/wham/accounts/check', headers: { 'user-agent': 'codex_exec/0.169.0' } },
    name: 'openai',
    status: 400,
    type: json,
  },
  {
    client: 'Codex that names a workspace which is none',
    facts: {
      path: '/backend-api/wham/accounts/check',
      headers: { 'user-agent': 'codex_exec/0.169.0', 'chatgpt-account-id': '"},{"id":"x' },
    },
    name: 'openai',
    status: 400,
    type: json,
  },
  {
    client: 'Codex that asks for models beside those it brings',
    facts: {
      path: '/backend-api/codex/models?client_version=0.169.0',
      headers: { 'user-agent': 'codex_exec/0.169.0' },
    },
    name: 'codex-list',
    status: 200,
    type: json,
  },
  {
    client: 'Codex that asks which plugins are installed',
    facts: { path: '/backend-api/ps/plugins/installed', headers: { 'user-agent': 'codex_exec/0.169.0' } },
    name: 'openai',
    status: 400,
    type: json,
  },
  {
    client: 'an SDK that asks for the list of models',
    facts: { path: '/v1/models', headers: { 'user-agent': 'OpenAI/JS 7.55.0' } },
    name: 'openai',
    status: 400,
    type: json,
  },
  {
    client: 'Claude Code that asks for its settings',
    facts: { path: '/api/claude_code/settings', headers: { 'user-agent': 'claude-code/2.1.329' } },
    name: 'claude-start',
    status: 404,
    type: json,
  },
  {
    client: 'Claude Code that asks for its model',
    facts: { method: 'POST', path: '/v1/messages?beta=true', headers: { 'user-agent': 'claude-cli/2.1.329' } },
    name: 'anthropic',
    status: 400,
    type: json,
  },
  {
    client: 'a preflight',
    facts: { method: 'OPTIONS', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' } },
    name: 'preflight',
    status: 204,
    type: undefined,
  },
  {
    client: 'OPTIONS that is no preflight',
    facts: { method: 'OPTIONS', headers: { origin: 'https://app.example' } },
    name: 'browser',
    status: 403,
    type: json,
  },
  {
    client: 'a fetch of a page',
    facts: { headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' } },
    name: 'browser',
    status: 403,
    type: json,
  },
  {
    client: "Node's fetch, which is no browser",
    facts: { headers: { 'sec-fetch-mode': 'cors', 'accept-language': '*' } },
    denial: { ...denial, service: null },
    name: 'json',
    status: 403,
    type: json,
  },
  ...['image', 'script', 'style', 'font', 'serviceworker'].map((dest) => ({
    client: `the ${dest} of a page`,
    facts: { headers: { 'sec-fetch-dest': dest, 'sec-fetch-site': 'cross-site', origin: 'https://app.example' } },
    name: 'subresource',
    status: 403,
    type: text,
  })),
  {
    client: 'git',
    facts: { path: '/x.git/info/refs?service=git-upload-pack', headers: { 'user-agent': 'git/2.39.5' } },
    name: 'git',
    status: 403,
    type: text,
  },
  ...['/x/@v/list', '/x/@latest', '/x?go-get=1'].map((path) => {
    const facts = { path, headers: { 'user-agent': 'Go-http-client/1.1' } };
    return { client: `the go command, for ${path}`, facts, name: 'go-modules', status: 403, type: text };
  }),
  {
    client: 'Claude Code',
    facts: {
      method: 'POST',
      path: '/v1/messages?beta=true',
      headers: { 'anthropic-version': '2023-06-01', accept: 'text/event-stream' },
    },
    name: 'anthropic',
    status: 400,
    type: json,
  },
  {
    client: 'Qoder',
    facts: { method: 'POST', path: '/api/v1/jobToken/exchange' },
    denial: wired('qoder'),
    name: 'qoder',
    status: 451,
    type: json,
  },
  {
    client: 'nobody known',
    facts: { headers: { 'user-agent': 'curl/8.1' } },
    denial: wired('none'),
    name: 'json',
    status: 403,
    type: json,
  },
];

describe('client class to answer', () => {
  test.each(cases)('$client: $name', ({ facts, denial: denied, name, status, type }) => {
    const answer = answers.denied(denied ?? denial, asks(facts));
    expect({ name: answer.name, status: answer.status, type: answer.headers['Content-Type'] }).toEqual({
      name,
      status,
      type,
    });
  });

  test('every row has a name of its own and says why', () => {
    expect(new Set(answerTable.map(({ name }) => name)).size).toBe(answerTable.length);
    for (const { why } of answerTable) expect(why).toMatch(/\S.{20,}\.$/);
  });
});

describe('what the classes say', () => {
  test('text for git and Codex is the message and nothing else', () => {
    const git = answers.denied(denial, asks({ headers: { 'user-agent': 'git/2' } }));
    expect(textOf(git)).toBe(`${message}\n`);
    const codex = answers.denied(denial, asks({ headers: { upgrade: 'WebSocket', 'user-agent': 'codex-tui/1' } }));
    expect(textOf(codex)).toBe(`${message}\n`);
  });

  test('Codex is told of no more models than it brings', () => {
    const headers = { 'user-agent': 'codex-tui/0.169.0' };
    const asked = (path: string): unknown => jsonOf(answers.denied(denial, asks({ path, headers })));
    expect(asked('/backend-api/codex/models')).toEqual({ models: [] });
    expect(asked('/backend-api/ps/plugins/suggested/codex')).toEqual({ plugins: [], enabled: false });
  });

  test('Codex is told that its workspace is where it asked', () => {
    const facts = {
      path: '/backend-api/wham/accounts/check',
      headers: { 'user-agent': 'codex-tui/0.169.0', 'chatgpt-account-id': 'acct-1' },
    };
    expect(jsonOf(answers.denied(denial, asks(facts)))).toEqual({
      accounts: [{ id: 'acct-1', workspace_backend_origin: 'https://claude.ai', account_routing_override: 'us' }],
    });
  });

  test('gRPC-Web in a browser may read its status', () => {
    const headers = { 'content-type': 'application/grpc-web-text', origin: 'https://app.example' };
    const answer = answers.denied(denial, asks({ method: 'POST', headers }));
    expect(answer.body).toHaveLength(0);
    expect(answer.headers).toMatchObject({
      'Content-Type': 'application/grpc-web-text',
      'grpc-status': '7',
      'Access-Control-Allow-Origin': 'https://app.example',
      'Access-Control-Expose-Headers': 'grpc-status, grpc-message',
    });
  });

  test('gRPC has no body, and its message keeps what people read', () => {
    const answer = answers.denied(
      { ...denial, reason: '100% „nein“' },
      asks({ httpVersion: '2.0', headers: { 'content-type': 'application/grpc' } }),
    );
    expect(answer.body).toHaveLength(0);
    expect(answer.headers['grpc-status']).toBe('7');
    expect(answer.headers['grpc-message']).toContain(`Use Qoder instead: https://assistant.example/qoder `);
    expect(answer.headers['grpc-message']).toContain('100%25 %E2%80%9Enein');
  });

  test('a Connect stream is one end frame', () => {
    const headers = { 'content-type': 'application/connect+json; charset=utf-8' };
    const { body, headers: sent } = answers.denied(denial, asks({ headers }));
    expect(sent['Content-Type']).toBe('application/connect+json');
    expect(body.readUInt8(0)).toBe(2);
    expect(body.readUInt32BE(1)).toBe(body.length - 5);
    expect(JSON.parse(body.subarray(5).toString())).toEqual({ error: { code: 'permission_denied', message } });
  });

  test('a sub-resource and a preflight have no body', () => {
    expect(answers.denied(denial, asks({ headers: { 'sec-fetch-dest': 'image' } })).body).toHaveLength(0);
    const preflight = { origin: 'https://a.example', 'access-control-request-method': 'PUT' };
    expect(answers.denied(denial, asks({ method: 'OPTIONS', headers: preflight })).body).toHaveLength(0);
  });

  test('a fetch gets the shape of its API, readable by its origin', () => {
    const answer = answers.denied(denial, asks({ path: '/v1/responses', headers: { origin: 'https://app.example' } }));
    expect(answer.headers).toMatchObject({
      'Access-Control-Allow-Origin': 'https://app.example',
      'Access-Control-Allow-Credentials': 'true',
      Vary: 'Origin',
    });
    expect(jsonOf(answer)).toEqual({
      error: { message, type: 'invalid_request_error', param: null, code: 'blocked_by_policy' },
      policy,
    });
  });

  test.each([
    ['a program', asks(), 'false'],
    ['a person', asks({ navigation: true }), undefined],
  ])('%s: x-should-retry is %3$s', (_who, about, value) => {
    expect(answers.denied(denial, about).headers['x-should-retry']).toBe(value);
  });
});
