/** A denial and requests for the tests of this folder. */
import type { Answer, Denial, Hostname, RequestFacts, Service, Target, Wire } from '../../src/flow.ts';
import { serialize } from '../../src/act/write.ts';
import { createAnswers } from '../../src/answers/answers.ts';
import type { Answers } from '../../src/answers/answers.ts';
import type { About, AnswerSettings } from '../../src/answers/settings.ts';

export const id = '9f2c41d07be8a3550c1d92ef';
export const at = Date.parse('2026-08-03T09:41:00Z');
export const assistantUrl = 'https://assistant.example/qoder';

export const settings: AnswerSettings = {
  viaName: 'sallyport',
  company: { name: 'Northwind', contact: 'it@northwind.example' },
  pagesUrl: 'http://127.0.0.1:8128',
  sign: ({ vendor, id: block }, now) => `${vendor ?? 'none'}-${block}-${now}`,
  timeZone: 'UTC',
};

export const answers: Answers = createAnswers(settings, serialize);

export const service: Service = {
  vendor: 'anthropic',
  vendorName: 'Anthropic',
  product: 'claude-code',
  productName: 'Claude Code',
  kind: 'coding-agent',
  channel: 'direct',
  wire: 'anthropic',
  role: 'api',
  tags: [],
};

export const denial: Denial = {
  rule: 'claude-ban',
  reason: 'High-risk: source code may not leave the company',
  service,
  assistant: { id: 'qoder', name: 'Qoder', url: assistantUrl },
  manner: 'intercept',
  redirect: 'page',
  link: null,
  since: Date.parse('2026-07-10T00:00:00Z'),
};

export const message =
  `Blocked by company policy: Claude Code (Anthropic). Use Qoder instead: ${assistantUrl} ` +
  `Reason: High-risk: source code may not leave the company. Questions: it@northwind.example. Rule claude-ban, ref ${id}`;

export const policy = {
  vendor: 'anthropic',
  product: 'claude-code',
  rule: 'claude-ban',
  assistant: assistantUrl,
  id,
  details: `http://127.0.0.1:8128/blocked/${id}`,
};

export function wired(wire: Wire): Denial {
  return { ...denial, service: { ...service, wire } };
}

export function target(host = 'claude.ai', port = 443): Target {
  return { host: host as Hostname, kind: 'name', port };
}

export function asks(facts: Partial<RequestFacts> = {}): About & { readonly facts: RequestFacts } {
  const plain: RequestFacts = {
    method: 'GET',
    scheme: 'https',
    httpVersion: '1.1',
    path: '/',
    headers: {},
    navigation: false,
  };
  return { id, at, target: target(), facts: { ...plain, ...facts } };
}

/** A person's browser that goes to a page. */
export function visits(
  headers: RequestFacts['headers'] = {},
  method = 'GET',
): About & { readonly facts: RequestFacts } {
  return asks({ method, headers, navigation: true });
}

export const connects: About = { id, at, target: target(), facts: null };

export function textOf(answer: Answer): string {
  return answer.body.toString();
}

export function jsonOf(answer: Answer): unknown {
  return JSON.parse(textOf(answer));
}

/** Header injection, markup, replacement patterns, a turned writing direction, a lone surrogate, and 100 KB. */
export const hostile = `\r\nSet-Cookie: a=b\r\n\r\n</style><script>alert(1)</script>"'><img src=x onerror=1> $& $1 \u202eevil\u2066 é漢😀 \ud800 \0 ${'x'.repeat(100_000)}`;

export const hostileDenial: Denial = {
  ...denial,
  rule: hostile,
  reason: hostile,
  service: { ...service, vendor: hostile, vendorName: hostile, product: hostile, productName: hostile },
  reasons: { en: hostile, zh: hostile },
  assistant: {
    id: hostile,
    name: hostile,
    url: `https://assistant.example/${encodeURIComponent('"><script>')}?a=1`,
    migrations: { [`${hostile}/${hostile}`]: { en: hostile } },
  },
  link: hostile,
};

export const hostileSettings: AnswerSettings = {
  ...settings,
  viaName: hostile,
  company: { name: hostile, contact: hostile },
};
