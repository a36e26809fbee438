/** Domain lists whose URL changes, also while they are fetched. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askAgain, isDenied, listServer, policyWith, serving } from '../support/list-server.ts';
import { labOfTest } from '../support/origins.ts';
import { eventually } from '../support/streams.ts';

const namesOf = (dir: string): string[] => readdirSync(dir).filter((name) => name.startsWith('fetched-'));

test('a fetch that is under way when the URL changes is ended, and writes nothing into the copy', async () => {
  const old = await listServer(serving('ads.test\n'));
  const next = await listServer(serving('next.test\n', '"2"'));
  const policy = policyWith(`{ url: '${old.url}' }`);
  const lab = await labOfTest({ policy });
  const copy = join(lab.dir, 'fetched-ads.list');
  let answer: ServerResponse | null = null;
  let ended = false;
  old.answerWith((_, res) => {
    answer = res.once('close', () => (ended = true));
    res.write('slow.test\n'.repeat(1_000));
  });
  await askAgain(lab, policy);
  await eventually('the slow answer', () => answer !== null);

  writeFileSync(join(lab.dir, 'policy.yaml'), policyWith(`{ url: '${next.url}' }`));
  expect(await lab.gateway.refresh()).toBe(true);
  await expect.poll(() => isDenied(lab, 'next.test')).toBe(true);
  (answer as ServerResponse | null)?.end('slow.test\n');
  await eventually('the end of the slow answer', () => ended);
  await askAgain(lab, policyWith(`{ url: '${next.url}' }`));
  await eventually('that it is asked for again', () => next.asked.length === 2);
  expect(readFileSync(copy, 'utf8')).toBe('next.test\n');
  expect(await isDenied(lab, 'slow.test')).toBe(false);
  expect(lab.told.filter((line) => !/^(waiting up|reloaded: |list ads: 1 domain$)/.test(line))).toEqual([]);
  expect(namesOf(lab.dir)).toEqual(['fetched-ads.list', 'fetched-ads.list.etag']);
});

test('an entity tag is only for the URL that gave it', async () => {
  const old = await listServer(serving('ads.test\n'));
  const next = await listServer(serving('next.test\n'));
  const lab = await labOfTest({ policy: policyWith(`{ url: '${old.url}' }`) });
  expect(await isDenied(lab, 'ads.test')).toBe(true);
  writeFileSync(join(lab.dir, 'policy.yaml'), policyWith(`{ url: '${next.url}' }`));
  expect(await lab.gateway.refresh()).toBe(true);
  await expect.poll(() => isDenied(lab, 'next.test')).toBe(true);
  expect(next.asked.map(({ etag }) => etag)).toEqual([undefined]);
});

test('what a fetch that was killed has left is taken away', async () => {
  const server = await listServer(serving('ads.test\n'));
  const lab = await labOfTest();
  for (const name of ['fetched-ads.list.0123456789ab.tmp', 'fetched-ads.list.mine']) {
    writeFileSync(join(lab.dir, name), 'half');
  }
  writeFileSync(join(lab.dir, 'policy.yaml'), policyWith(`{ url: '${server.url}' }`));
  expect(await lab.gateway.refresh()).toBe(true);
  expect(await isDenied(lab, 'ads.test')).toBe(true);
  expect(namesOf(lab.dir)).toEqual(['fetched-ads.list', 'fetched-ads.list.etag', 'fetched-ads.list.mine']);
});
