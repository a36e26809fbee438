/** Policies and requests by chance, of a vocabulary small enough that they meet. */
import fc from 'fast-check';
import { parseAuthority } from '../../src/listen/target.ts';
import type { Target } from '../../src/flow.ts';

/** Ids of the shipped catalogue that the policies speak of. */
export const vendorIds = ['anthropic', 'openai', 'deepseek', 'mistral', 'alibaba', 'openrouter', 'aws'] as const;
const products = ['anthropic/claude', 'anthropic/claude-api', 'openai/chatgpt', 'openrouter/api'] as const;
const domains = ['ai', 'claude.ai', '=claude.ai', 'openai.com', 'example.com', '=a.example.com', '127.0.0.2'] as const;
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata'] as const;
const windows = ['daily 22:00-06:00', 'mon-fri 08:00-18:00', 'sat,sun', 'sun 01:30-03:30', 'fri 12:00-12:30'] as const;

export const hosts = [
  'claude.ai',
  'api.anthropic.com',
  'chatgpt.com',
  'api.openai.com',
  'chat.deepseek.com',
  'chat.mistral.ai',
  'chat.qwen.ai',
  'openrouter.ai',
  'bedrock-runtime.us-east-1.amazonaws.com',
  'claude-ai.translate.goog',
  'example.com',
  'a.example.com',
  'b.a.example.com',
] as const;
const paths = ['/', '/model/anthropic.claude-3/converse', '/api/v1/chat/completions'] as const;
const addresses = ['10.1.0.1', '10.2.0.1', '10.3.0.1', '10.3.9.9', '192.0.2.1'] as const;
const users = ['ada', 'bob', 'eve'] as const;

/** Around the clock change of autumn, and at the edges of days and windows. */
const times = [
  '2026-07-09T23:59:59.999Z',
  '2026-07-10T00:00:00.000Z',
  '2026-07-10T21:59:59.999Z',
  '2026-07-10T22:00:00.000Z',
  '2026-10-24T23:30:00.000Z',
  '2026-10-25T00:30:00.000Z',
  '2026-10-25T01:30:00.000Z',
  '2026-12-25T09:00:00.000Z',
  '2026-12-28T09:00:00.000Z',
] as const;
const edges = ['2026-07-10', '2026-07-10T22:00:00Z', '2026-10-25T00:30:00Z', '2026-12-26'] as const;

const some = <T>(words: readonly T[]): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...words), { minLength: 1, maxLength: 2 });
const effect = fc.constantFrom('allow', 'deny', 'monitor');

const what = fc
  .record(
    {
      vendors: some(vendorIds),
      products: some(products),
      channels: some(['direct', 'cloud', 'reseller']),
      tags: some(['assistant', 'model-maker', 'chat', 'api', 'router']),
      risks: some(['high', 'low']),
      domains: some(domains),
    },
    { requiredKeys: [] },
  )
  // All that is named must hold: with many fields hardly anything is left to meet.
  .map((fields) => Object.fromEntries(Object.entries(fields).slice(0, 2)))
  .filter((fields) => Object.keys(fields).length > 0);

const whomAndWhen = fc
  .record(
    {
      groups: some(['a', 'b', 'c']),
      sites: some(['north', 'south']),
      time_zone: fc.constantFrom(...zones),
      windows: some(windows),
      holidays: fc.constantFrom('except', 'only'),
      from: fc.constantFrom(...edges.slice(0, 2)),
    },
    { requiredKeys: [] },
  )
  .map((fields) => Object.fromEntries(Object.entries(fields).slice(-2)));

const answer = fc.record(
  { manner: fc.constantFrom('intercept', 'refuse'), assistant: fc.constantFrom('one', 'two') },
  { requiredKeys: [] },
);

export interface RuleWritten {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** What a policy file says, as the YAML reader would give it. */
export interface PolicyWritten {
  readonly rules: readonly RuleWritten[];
  readonly [key: string]: unknown;
}

const rule = fc.tuple(
  what,
  whomAndWhen,
  answer,
  effect,
  fc.option(fc.constantFrom(...edges.slice(2)), { nil: undefined }),
);
const exception = fc.tuple(what, whomAndWhen, fc.constantFrom(...edges.slice(2)));

export const policies: fc.Arbitrary<PolicyWritten> = fc
  .record({
    mode: fc.constantFrom('open', 'open', 'sanctioned-only'),
    time_zone: fc.constantFrom(...zones),
    rules: fc.array(rule, { minLength: 1, maxLength: 12 }),
    exceptions: fc.array(exception, { maxLength: 3 }),
    defaults: fc.record(
      { unlisted: effect, catalogue: effect, raw_address: effect, unknown_model: effect },
      { requiredKeys: [] },
    ),
  })
  .map(({ rules, exceptions, ...rest }) => ({
    ...rest,
    assistants: { one: { name: 'One', url: 'http://one.test/' }, two: { name: 'Two', url: 'http://two.test/' } },
    assistant_for: [{ groups: 'a', assistant: 'two' }],
    default_assistant: 'one',
    holidays: ['2026-12-25'],
    groups: {
      a: { networks: '10.1.0.0/16' },
      b: { networks: '10.0.0.0/8', users: 'ada' },
      c: { users: ['ada', 'bob'] },
    },
    sites: {
      north: { networks: '10.3.0.0/16' },
      south: { networks: ['10.2.0.0/16', '10.3.9.0/24'], assistant: 'two' },
    },
    risk_classes: {
      high: { vendors: 'deepseek', tags: 'router' },
      low: { products: 'openai/chatgpt', channels: 'cloud' },
    },
    rules: rules.map(([about, who, told, said, until], i) => ({
      id: `rule-${String(i)}`,
      ...about,
      ...who,
      ...told,
      ...(until !== undefined && { until }),
      effect: said,
      reason: 'By chance.',
    })),
    exceptions: exceptions.map(([about, who, until], i) => ({
      id: `exception-${String(i)}`,
      ...about,
      ...who,
      until,
      approved_by: 'Ada',
      reason: 'By chance.',
    })),
  }));

export interface Request {
  readonly target: Target;
  /** Null: a CONNECT; else that of a request in the clear. */
  readonly path: string | null;
  readonly address: string;
  readonly user: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

export const requests: fc.Arbitrary<Request> = fc.record({
  target: fc.constantFrom(...hosts, '127.0.0.2').map((host) => parseAuthority(host, 443)),
  path: fc.option(fc.constantFrom(...paths)),
  address: fc.constantFrom(...addresses),
  user: fc.option(fc.constantFrom(...users)),
  at: fc.constantFrom(...times).map((time) => Date.parse(time)),
});
