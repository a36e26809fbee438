import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createDomainLists } from '../../src/gateway/domain-lists.ts';
import type { DomainList } from '../../src/flow.ts';
import { listServer, serving } from '../support/list-server.ts';

function setting(url: string | null = null) {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-lists-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'ads.txt');
  const list: DomainList = { id: 'ads', file, url, format: 'plain', sha256: null, maxBytes: 1e6, refresh: 86_400_000 };
  const told: string[] = [];
  const open = (fetches: boolean) => {
    const lists = createDomainLists({
      changed: () => undefined,
      log: (line) => void told.push(line),
      fetches,
      seed: 1,
    });
    onTestFinished(() => lists.close());
    return lists;
  };
  const config = { policy: { lists: [list], rules: [] }, policyFile: join(dir, 'policy.yaml') } as never;
  return { file, told, open, config };
}

test('a file that vanishes before it is read is a mistake in the policy, and no list of nothing', async () => {
  const { open, config } = setting();
  const lists = open(true);
  await lists.prepare(config);
  expect(() => lists.demand(config)).toThrow(/the list "ads" cannot be used: .*ENOENT.*; correct the file/);
});

test.each([
  ['emptied', '# nothing\n', /the list "ads" cannot be used: .*it no longer contains any domain; correct the file/],
  ['removed', null, /the list "ads" cannot be used: .*ENOENT.*; correct the file/],
])('a process that comes later demands of a file that was %s what the others hold', async (_how, text, message) => {
  const { file, open, config } = setting();
  writeFileSync(file, 'ads.test\n');
  const first = open(true);
  await first.prepare(config);
  expect(first.loaded()).toEqual(['ads']);
  if (text === null) rmSync(file);
  else writeFileSync(file, text);
  await first.prepare(config);
  expect(first.loaded()).toEqual(['ads']);
  const later = open(false);
  await later.prepare(config);
  expect(() => later.demand(config, first.loaded())).toThrow(message);
  writeFileSync(file, 'ads.test\n');
  await later.prepare(config);
  expect(() => later.demand(config, first.loaded())).not.toThrow();
});

test('a copy that is gone is no list of nothing for a process that comes later, and is fetched again at a reload', async () => {
  const server = await listServer(serving('ads.test\n'));
  const { file, open, config } = setting(server.url);
  const first = open(true);
  await first.prepare(config);
  first.follow(config);
  rmSync(file);
  const later = open(false);
  await later.prepare(config);
  expect(() => later.demand(config, first.loaded())).toThrow(
    /the list "ads" cannot be used: .*the copy of what was fetched is gone; run "sallyport reload"/,
  );
  await first.prepare(config);
  await expect.poll(() => existsSync(file)).toBe(true);
  await later.prepare(config);
  expect(() => later.demand(config, first.loaded())).not.toThrow();
});

test('a list that was never fetched is asked for again within seconds', async () => {
  const server = await listServer((_, res) => res.writeHead(500).end());
  const { open, config } = setting(server.url);
  const lists = open(true);
  await lists.prepare(config);
  lists.follow(config);
  expect(lists.loaded()).toEqual([]);
  server.answerWith(serving('ads.test\n'));
  await expect.poll(() => lists.loaded(), { timeout: 8_000 }).toEqual(['ads']);
  expect(server.asked).toHaveLength(2);
}, 10_000);
