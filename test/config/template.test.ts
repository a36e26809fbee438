import { describe, expect, test } from 'vitest';
import { parseTemplate } from '../../src/config/template.ts';
import { ConfigError } from '../../src/errors.ts';
import { indexTemplates } from '../../src/identify/templates.ts';

function matcher(template: string): (host: string) => boolean {
  const entries = parseTemplate(template).map((parsed) => ({ template: { ...parsed, role: 'api' }, value: true }));
  const find = indexTemplates(entries);
  return (host) => find(host) !== null;
}

describe('a template covers', () => {
  test.each([
    ['{region}-aiplatform.googleapis.com', 'us-east5-aiplatform.googleapis.com', true],
    ['{region}-aiplatform.googleapis.com', '-aiplatform.googleapis.com', false],
    ['{region}-aiplatform.googleapis.com', 'evil-aiplatform.googleapis.com', false],
    ['{region}-aiplatform.googleapis.com', 'us-east5-aiplatform.googleapis.com.test', false],
    ['{region}-aiplatform.googleapis.com', 'x.us-east5-aiplatform.googleapis.com', false],
    ['bedrock{|-fips}.{region}.amazonaws.com', 'bedrock.us-east-1.amazonaws.com', true],
    ['bedrock{|-fips}.{region}.amazonaws.com', 'bedrock-fips.us-east-1.amazonaws.com', true],
    ['bedrock{|-fips}.{region}.amazonaws.com', 'bedrock-x.us-east-1.amazonaws.com', false],
    ['bedrock{|-fips}.{region}.amazonaws.com', 'bedrock.amazonaws.com', false],
    ['bedrock{|-fips}.{region}.amazonaws.com', 'bedrock.s3-us-west-2.amazonaws.com', false],
    ['acme.{region}.aliyuncs.com', 'acme.cn-hangzhou.aliyuncs.com', true],
    ['acme.{region}.aliyuncs.com', 'acme.oss-cn-hangzhou.aliyuncs.com', false],
    ['**.api.{region}.acme.test', 'api.eu-1.acme.test', true],
    ['**.api.{region}.acme.test', 'a.b.api.eu-1.acme.test', true],
    ['**.api.{region}.acme.test', 'xapi.eu-1.acme.test', false],
    ['{name}-ai-{name}.acme.test', 'a-ai-b.acme.test', true],
    ['{name}-ai-{name}.acme.test', 'a-b-ai-c-d.acme.test', true],
    ['{name}-ai-{name}.acme.test', '-ai-b.acme.test', false],
    ['{name}-ai-{name}.acme.test', 'a-ai-.acme.test', false],
    ['v{digits}.acme.test', 'v12.acme.test', true],
    ['v{digits}.acme.test', 'v1x.acme.test', false],
    ['v{digits}.acme.test', 'v.acme.test', false],
    ['{us|eu}.{name}.acme.test', 'eu.a.acme.test', true],
    ['{us|eu}.{name}.acme.test', 'jp.a.acme.test', false],
  ])('%s, %s: %s', (template, host, covers) => {
    expect(matcher(template)(host)).toBe(covers);
  });
});

test.each([
  ['api.acme.test', /no place/],
  ['{country}.acme.test', /is not a placeholder/],
  ['{name}{digits}.acme.test', /more than two placeholders, or two without text/],
  ['{name}-{name}-{name}.acme.test', /more than two placeholders/],
  ['{name}-{digits}.acme.test', /both must be \{name\}/],
  ['api.{name}', /at least two fixed labels/],
  ['api.{name}.test', /at least two fixed labels/],
  ['a+{name}.acme.test', /character that is not allowed in host names/],
  ['{a|b|c|d|e|f}{a|b|c|d|e|f}.{name}.acme.test', /more than 32/],
  ['{name}.acme.test|', /does not end in a host name/],
  ['{name}.acme.1', /does not end in a host name/],
  [`${'a'.repeat(250)}{name}.acme.test`, /not be longer than a host name/],
])('%s is refused', (template, reason) => {
  expect(() => parseTemplate(template)).toThrow(ConfigError);
  expect(() => parseTemplate(template)).toThrow(reason);
});

test('no host makes a match slow', () => {
  const covers = matcher('{name}-a-{name}.acme.test');
  const host = `${'-a'.repeat(120)}.acme.test`;
  const started = performance.now();
  for (let i = 0; i < 10_000; i++) covers(host);
  expect(performance.now() - started).toBeLessThan(1000);
});
