/** The real libraries of AI services through the whole product: each throws its own error, at once, with the reason. */
import type { Socket } from 'node:net';
import Anthropic from '@anthropic-ai/sdk';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { GoogleGenAI } from '@google/genai';
import { credentials, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { InferenceClient } from '@huggingface/inference';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { HttpsProxyAgent } from 'https-proxy-agent';
import OpenAI from 'openai';
import {
  fetch as undiciFetch,
  getGlobalDispatcher,
  ProxyAgent,
  setGlobalDispatcher,
  WebSocket as UndiciWebSocket,
} from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startLab, type Lab } from '../support/lab.ts';

const policy = `
assistants: { qoder: { name: Qoder, url: 'http://assistant.test/' } }
default_assistant: qoder
rules: [{ id: no-ai, vendors: [anthropic, openai, google, aws, mistral, cohere, huggingface], effect: deny, reason: High risk. }]
defaults: { catalogue: deny }
`;
const told =
  /Blocked by company policy: .*Use Qoder instead: http:\/\/assistant\.test\/ Reason: High risk\. .*Rule no-ai/;

/** Trusts the CA of the lab in the tunnels, too. */
class TrustingAgent extends HttpsProxyAgent<string> {
  override connect(...[request, options]: Parameters<HttpsProxyAgent<string>['connect']>): Promise<Socket> {
    return super.connect(request, { ...options, ca: lab.ca } as typeof options);
  }
}

let lab: Lab;
let agent: HttpsProxyAgent<string>;
let before = 0;
const outside = getGlobalDispatcher();

beforeAll(async () => {
  lab = await startLab({ policy });
  setGlobalDispatcher(new ProxyAgent({ uri: lab.proxyUrl, requestTls: { ca: lab.ca } }));
  agent = new TrustingAgent(lab.proxyUrl);
});
afterAll(async () => {
  setGlobalDispatcher(outside);
  await lab.close();
});
beforeEach(() => {
  before = lab.lines().length;
});

/** What a call throws, and how many attempts it took. */
async function failure(call: Promise<unknown>): Promise<{ readonly error: Error; readonly attempts: number }> {
  const error = await call.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason as Error,
  );
  await expect.poll(() => lab.lines().length).toBeGreaterThan(before);
  return { error, attempts: lab.lines().length - before };
}

async function all(stream: Promise<AsyncIterable<unknown>>): Promise<void> {
  for await (const part of await stream) expect(part).toBeUndefined();
}

const messages = [{ role: 'user' as const, content: 'hi' }];
const fetch = globalThis.fetch;
const anthropic = () => new Anthropic({ apiKey: 'sk-fake', fetch });
const openai = (baseURL?: string) =>
  new OpenAI({ apiKey: 'sk-fake', fetch, ...(baseURL !== undefined && { baseURL }) });
const genai = () => new GoogleGenAI({ apiKey: 'fake' });
const bedrock = () =>
  new BedrockRuntimeClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAFAKE', secretAccessKey: 'fake' },
    requestHandler: new NodeHttpHandler({ httpsAgent: agent }),
  });
const huggingFace = () => new InferenceClient('hf_fake', { fetch });

const model = 'claude-x';
const hosted = { model, endpointUrl: 'https://router.huggingface.co/hf-inference/models/x' };
const converse = {
  modelId: 'anthropic.claude-x-v1:0',
  messages: [{ role: 'user' as const, content: [{ text: 'hi' }] }],
};
const calls: readonly (readonly [string, string, () => Promise<unknown>])[] = [
  ['@anthropic-ai/sdk', 'BadRequestError', () => anthropic().messages.create({ model, max_tokens: 9, messages })],
  [
    '@anthropic-ai/sdk, streaming',
    'BadRequestError',
    () => all(anthropic().messages.create({ model, max_tokens: 9, messages, stream: true })),
  ],
  ['openai, chat', 'BadRequestError', () => openai().chat.completions.create({ model, messages })],
  [
    'openai, chat, streaming',
    'BadRequestError',
    () => all(openai().chat.completions.create({ model, messages, stream: true })),
  ],
  ['openai, responses', 'BadRequestError', () => openai().responses.create({ model, input: 'hi' })],
  [
    'openai against another vendor',
    'PermissionDeniedError',
    () => openai('https://api.mistral.ai/v1').chat.completions.create({ model, messages }),
  ],
  ['@google/genai', 'ApiError', () => genai().models.generateContent({ model, contents: 'hi' })],
  ['@google/genai, streaming', 'ApiError', () => all(genai().models.generateContentStream({ model, contents: 'hi' }))],
  ['client-bedrock-runtime', 'AccessDeniedException', () => bedrock().send(new ConverseCommand(converse))],
  [
    'client-bedrock-runtime, streaming',
    'AccessDeniedException',
    () => bedrock().send(new ConverseStreamCommand(converse)),
  ],
  [
    '@huggingface/inference',
    'InferenceClientProviderApiError',
    () => huggingFace().textGeneration({ ...hosted, inputs: 'hi' }),
  ],
  [
    '@huggingface/inference, chat',
    'InferenceClientProviderApiError',
    () => huggingFace().chatCompletion({ ...hosted, messages }),
  ],
  [
    '@huggingface/inference, streaming',
    'InferenceClientProviderApiError',
    async () => {
      for await (const part of huggingFace().chatCompletionStream({ ...hosted, messages }))
        expect(part).toBeUndefined();
    },
  ],
  [
    'openai against Hugging Face',
    'PermissionDeniedError',
    () => openai('https://router.huggingface.co/v1').chat.completions.create({ model, messages }),
  ],
];

describe('the reason is in the error of its own library, after one attempt', () => {
  test.each(calls)('%s: %s', async (_name, kind, call) => {
    const { error, attempts } = await failure(call());
    expect(error.message).toMatch(told);
    expect([error.constructor.name, error.name]).toContain(kind);
    expect(attempts).toBe(1);
  });

  test('grpc-js: PERMISSION_DENIED', async () => {
    process.env['grpc_proxy'] = lab.proxyUrl;
    const identity = (bytes: Buffer): Buffer => bytes;
    const Client = makeGenericClientConstructor(
      {
        generate: {
          path: '/google.ai.generativelanguage.v1.GenerativeService/GenerateContent',
          requestStream: false,
          responseStream: false,
          requestSerialize: identity,
          requestDeserialize: identity,
          responseSerialize: identity,
          responseDeserialize: identity,
        },
      },
      'GenerativeService',
    );
    const client = new Client('generativelanguage.googleapis.com:443', credentials.createSsl(Buffer.from(lab.ca)));
    const call = new Promise((resolve, reject) => {
      const generate = client['generate'] as (bytes: Buffer, done: (error: ServiceError | null) => void) => void;
      generate.call(client, Buffer.alloc(0), (error) => (error === null ? resolve(null) : reject(error)));
    });
    const { error, attempts } = await failure(call);
    client.close();
    delete process.env['grpc_proxy'];
    expect(error).toMatchObject({ code: 7 });
    expect(error.message).toMatch(told);
    expect(attempts).toBe(1);
  });
});

test('fetch of undici reads status and body', async () => {
  const dispatcher = new ProxyAgent({ uri: lab.proxyUrl, requestTls: { ca: lab.ca } });
  const answer = await undiciFetch('https://api.cohere.com/v2/chat', { method: 'POST', body: '{}', dispatcher });
  expect(answer.status).toBe(403);
  expect(((await answer.json()) as { message: string }).message).toMatch(told);
  await dispatcher.close();
});

test.each([
  ['no subprotocol', []],
  ['a subprotocol, and a key behind it', ['realtime', 'openai-insecure-api-key.sk-x']],
])('ws reads the close code and the reason, with %s', async (_which, protocols) => {
  const socket = new WebSocket('wss://api.openai.com/v1/realtime', protocols, { agent, ca: lab.ca });
  const [code, reason] = await new Promise<[number, Buffer]>((resolve, reject) => {
    socket.once('error', reject).once('close', (...ended) => resolve(ended));
  });
  expect([code, reason.toString()]).toEqual([1008, expect.stringMatching(/^Blocked by company policy: OpenAI API/)]);
});

test.each([[[]], [['realtime', 'openai-insecure-api-key.sk-x']]])(
  'the WebSocket of undici and Node.js reads them too, with the subprotocols %j',
  async (protocols) => {
    const dispatcher = new ProxyAgent({ uri: lab.proxyUrl, requestTls: { ca: lab.ca } });
    const socket = new UndiciWebSocket('wss://api.openai.com/v1/realtime', { protocols, dispatcher });
    const closed = await new Promise<{ readonly code: number; readonly reason: string }>((resolve) => {
      socket.addEventListener('close', resolve);
    });
    expect(closed.code).toBe(1008);
    expect(closed.reason).toMatch(/^Blocked by company policy: OpenAI API/);
    expect(socket.protocol).toBe(protocols[0] ?? '');
    await dispatcher.close();
  },
);
