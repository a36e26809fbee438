import { describe, expect, test } from 'vitest';
import { toVendor } from '../../src/config/vendor-schema.ts';
import { readVendors } from '../../src/config/vendors.ts';
import { indexHosts } from '../../src/decide/match.ts';
import type { Hostname } from '../../src/flow.ts';
import { modelVendor } from '../../src/identify/models.ts';
import { indexServices } from '../../src/identify/services.ts';

const find = indexServices(
  readVendors('config/vendors', null).map(({ vendor }) => toVendor(vendor)),
  indexHosts,
);
const bedrock = 'bedrock-runtime.us-east-1.amazonaws.com';
const vertex = 'us-east5-aiplatform.googleapis.com';
const gateway = 'gateway.ai.cloudflare.com';

describe('the shipped catalogue tells the maker of the model', () => {
  test.each([
    [bedrock, null, null],
    [bedrock, '/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/invoke', 'anthropic'],
    [bedrock, '/model/anthropic.claude-3-haiku/converse-stream?x=1', 'anthropic'],
    [bedrock, '/model/global.amazon.nova-pro-v1%3A0/invoke', 'aws'],
    [bedrock, '/model/eu.mistral.pixtral/invoke', 'mistral'],
    [bedrock, '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fabc/invoke', null],
    [
      bedrock,
      '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.anthropic.claude/invoke',
      'anthropic',
    ],
    [bedrock, '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Afoundation-model%2Fmeta.llama3/invoke', 'meta'],
    [bedrock, '/model/arn%3Aaws%3As3%3A%3A%3Afoundation-model%2Fmeta.llama3/invoke', null],
    [bedrock, '//model/./x/../anthropic.claude/invoke', 'anthropic'],
    [bedrock, '/model/nobody.model/invoke', null],
    [bedrock, '/model/', null],
    [bedrock, '/openai/v1/chat/completions', null],
    [bedrock, '/model/%zz.anthropic/invoke', null],
    ['bedrock-mantle.us-east-1.api.aws', '/anthropic/v1/messages', 'anthropic'],
    ['bedrock-mantle.us-east-1.api.aws', '/v1/responses', null],
    [vertex, '/v1/projects/p/locations/l/publishers/anthropic/models/claude:rawPredict', 'anthropic'],
    [vertex, '/v1/projects/p/locations/l/publishers/mistralai/models/m:predict', 'mistral'],
    [vertex, '/v1/projects/p/locations/l/endpoints/openapi/chat/completions', null],
    [gateway, '/v1/0123/gw/openai/chat/completions', 'openai'],
    [gateway, '/v1/0123/gw/compat/chat/completions', null],
    ['contoso.services.ai.azure.com', '/anthropic/v1/messages', 'anthropic'],
    ['adb-1.2.azuredatabricks.net', '/serving-endpoints/databricks-claude-sonnet-4/invocations', 'anthropic'],
    ['adb-1.2.azuredatabricks.net', '/serving-endpoints/my-claude/invocations', null],
    ['api.githubcopilot.com', '/v1/messages', 'anthropic'],
    ['api.githubcopilot.com', '/chat/completions', null],
    ['api.cloudflare.com', '/client/v4/accounts/0123/ai/run/@cf/openai/gpt-oss-20b', 'openai'],
    ['api.replicate.com', '/v1/models/anthropic/claude/predictions', 'anthropic'],
  ])('%s %s: %s', (host, path, expected) => {
    expect(find(host as Hostname, path)?.model ?? null).toBe(expected);
  });
});

describe('a header names the maker where no path does', () => {
  const vercel = 'ai-gateway.vercel.sh';
  const helicone = 'gateway.helicone.ai';
  test.each([
    [vercel, { 'ai-language-model-id': 'anthropic/claude-sonnet-4' }, 'anthropic'],
    [vercel, { 'ai-model-id': 'OpenAI/gpt-5' }, 'openai'],
    [vercel, { 'ai-language-model-id': 'nobody/model' }, null],
    [vercel, { 'ai-language-model-id': 'openai/gpt-5, anthropic/claude' }, null],
    [vercel, { 'ai-language-model-id': ['openai/gpt-5', 'openai/gpt-4'] }, 'openai'],
    [vercel, { 'ai-language-model-id': '__proto__/x' }, null],
    [vercel, {}, null],
    ['api.portkey.ai', { 'x-portkey-provider': 'anthropic' }, 'anthropic'],
    [helicone, { 'helicone-target-url': 'https://api.anthropic.com' }, 'anthropic'],
    [helicone, { 'helicone-target-url': 'https://API.openai.com:443/v1' }, 'openai'],
    [helicone, { 'helicone-target-url': 'https://models.corp.test' }, null],
    [helicone, { 'helicone-target-url': 'https://[' }, null],
    [bedrock, { 'x-portkey-provider': 'anthropic' }, null],
  ])('%s %o: %s', (host, fields, expected) => {
    expect(find(host as Hostname, '/v1/chat/completions', fields)?.model ?? null).toBe(expected);
  });
});

test('the host alone tells who runs the Claude Platform on other clouds', () => {
  expect(find('claude.googleapis.com' as Hostname)).toMatchObject({ vendor: 'anthropic', operator: 'google' });
  expect(find('aws-external-anthropic.us-west-2.api.aws' as Hostname)).toMatchObject({
    vendor: 'anthropic',
    operator: 'aws',
  });
});

test('the part of a shared host that is AI is known by its path, and the rest is not', () => {
  const host = 'api.github.com' as Hostname;
  expect(find(host)).toBeNull();
  expect(find(host, '/repos/x/y')).toBeNull();
  expect(find(host, '/copilot_internal/v2/token')).toMatchObject({ vendor: 'github-copilot' });
  expect(find(host, '/copilot_internalx/v2/token')).toBeNull();
  expect(find('adb-1.cloud.databricks.com' as Hostname, '/serving-endpoints/anthropic/v1/messages')).toMatchObject({
    vendor: 'databricks',
    model: 'anthropic',
  });
  expect(find('www.google.com' as Hostname, '/search?q=x&udm=50')).toMatchObject({ product: 'gemini' });
  expect(find('www.google.com' as Hostname, '/search?q=x')).toBeNull();
  expect(find('runtime.sagemaker.us-east-1.amazonaws.com' as Hostname)).toBeNull();
  expect(find('runtime.sagemaker.us-east-1.amazonaws.com' as Hostname, '/endpoints/x/invocations')).toMatchObject({
    vendor: 'aws',
  });
  expect(find('www.bing.com' as Hostname, '/search?q=x&showconv=1')).toMatchObject({ product: 'copilot' });
  expect(find('www.bing.com' as Hostname, '/search?q=showconv')).toBeNull();
  expect(find('x.com' as Hostname, '//i/./%67rok')).toMatchObject({ vendor: 'xai' });
  // Only a header tells Gemini's uploads from those of others.
  const uploads = 'content-push.googleapis.com' as Hostname;
  expect(find(uploads, '/upload')).toBeNull();
  expect(find(uploads, '/upload', { 'x-tenant-id': 'photos' })).toBeNull();
  expect(find(uploads, '/upload', { 'x-tenant-id': 'bard-storage' })).toMatchObject({ product: 'gemini' });
  expect(find(uploads, '/other', { 'x-tenant-id': 'bard-storage' })).toBeNull();
  // Sign-in is for everything on the host.
  expect(find('github.com' as Hostname, '/login/oauth/authorize')).toBeNull();
  expect(find('github.com' as Hostname, '/copilot')).toMatchObject({ vendor: 'github-copilot' });
});

test('what a carrier carries is the service, and the carrier stays a party', () => {
  const carried = find('r.jina.ai' as Hostname, '/https://api.openai.com/v1/models');
  expect(carried).toMatchObject({ vendor: 'openai', operator: 'jina', carried: 'api.openai.com' });
  expect(find('r.jina.ai' as Hostname, '/https://example.com/')).toMatchObject({ vendor: 'jina' });
});

test('of two services that a carrier is given, both are parties: it fetches the one or the other', () => {
  const decoy = '/https://mistral.ai/?url=https://api.openai.com/v1/models';
  expect(find('corsproxy.io' as Hostname, decoy)).toMatchObject({ vendor: 'mistral', operator: 'openai' });
  expect(find('r.jina.ai' as Hostname, decoy)).toMatchObject({ vendor: 'mistral', operator: 'openai', model: 'jina' });
});

test('a path of very many segments names no model', () => {
  const model = { by: 'path', vendor: null, paths: [{ segments: ['**'], vendor: 'acme', makers: {} }] } as const;
  expect(modelVendor(model, '/a/b')).toBe('acme');
  expect(modelVendor(model, '/a'.repeat(40))).toBeNull();
});
