/** The script that holds the catalogue against a file of facts, run as people run it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { samplesOf } from '../../scripts/sample-hosts.mjs';

const run = promisify(execFile);
let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-facts-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const head = 'long_tail_providers: { items: [] }\nrelay_resellers: { items: [] }\n';

async function compare(facts: string): Promise<string> {
  const file = join(dir, 'facts.yaml');
  await writeFile(file, head + facts);
  const done = await run(process.execPath, ['scripts/compare-facts.mjs', file]).catch((error: unknown) => error);
  return (done as { stdout: string }).stdout;
}

test('what the catalogue has is not named, and what it lacks is', async () => {
  const shown = await compare(`vendors:
  - id: anthropic
    products:
      - id: claude
        domains:
          - { match: suffix, hosts: [claude.ai, nowhere.example] }
        telemetry:
          - { host: sentry.io, match: suffix, shared_infrastructure: true }
        ip_ranges: [{ cidr: 160.79.104.0/23 }]
      - id: none-such
  - id: acme
    products: []
`);
  expect(shown).toContain('left out: host nowhere.example (suffix) of anthropic/claude: NO REASON IS GIVEN');
  expect(shown).toContain('left out: product anthropic/none-such: NO REASON IS GIVEN');
  expect(shown).toContain('left out: vendor acme: NO REASON IS GIVEN');
  expect(shown).toMatch(/, 3 left out, 3 of them without a reason/);
});

test('a host that is someone else is named too', async () => {
  const shown = await compare(`vendors:
  - id: openai
    products:
      - id: chatgpt
        domains: [{ match: exact, hosts: [claude.ai] }]
`);
  expect(shown).toContain('left out: host claude.ai (exact) of openai/chatgpt');
});

describe('samples of a regular expression', () => {
  test.each([
    ['^api\\.example\\.com$', ['api.example.com']],
    ['^a(-b)?\\.(us|eu)\\.example$', ['a.us.example', 'a.eu.example', 'a-b.us.example', 'a-b.eu.example']],
    ['^[a-z]{2}(-[a-z]+)+-\\d\\.x$', ['aa-acme-7.x']],
    ['^ark\\.[a-z0-9-]+\\.com$', ['ark.us-east-1.com']],
    ['^qoder/\\d', ['qoder/7']],
  ])('%s', (pattern, samples) => {
    expect(samplesOf(pattern)).toEqual(samples);
  });

  test.each(['(a', 'a)', '(?=a)b', '[a'])('%s is not read', (pattern) => {
    expect(() => samplesOf(pattern)).toThrow();
  });
});
