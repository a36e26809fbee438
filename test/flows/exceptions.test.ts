/** Exceptions and pauses act on a running proxy within a second, whoever writes them, and outlive it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withLock } from '../../src/config/lock.ts';
import { curl } from '../support/curl.ts';
import { startLab } from '../support/lab.ts';
import type { Lab } from '../support/lab.ts';
import { run, serve } from '../support/product.ts';
import { eventually } from '../support/streams.ts';

const policy = `
groups: { staff: { networks: 10.0.0.0/8 } }
rules:
  - { id: claude-ban, vendors: anthropic, effect: deny, reason: Not approved. }
  - { id: loopback, domains: 127.0.0.1, effect: allow, reason: The origins of the tests. }
`;

let lab: Lab;
beforeAll(async () => {
  // What is let through ends at a port that nobody listens on, with 502.
  lab = await startLab({
    policy,
    settings: { outbound: { hosts: { '*.ai': '127.0.0.1' }, allow: ['*.ai', '127.0.0.1'] } },
  });
});
afterAll(() => lab.close());

/** 400 where it is denied (an answer in Anthropic's own words), another one where it is let through. */
async function statusOf(proxyUrl: string): Promise<string> {
  const { out } = await curl('-o', '/dev/null', '-w', '%{http_code}', '-x', proxyUrl, 'http://claude.ai/');
  return out;
}

async function eventuallyStatus(proxyUrl: string, status: string, patience: number): Promise<number> {
  const since = performance.now();
  while ((await statusOf(proxyUrl)) !== status) {
    if (performance.now() - since > patience) throw new Error(`still not ${status}`);
  }
  return performance.now() - since;
}

const api = (path: string): string => `http://127.0.0.1:${lab.addresses.admin.port}/api/${path}`;

async function send(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const answer = await fetch(api(path), {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
}

const wanted = {
  vendors: ['anthropic'],
  networks: ['127.0.0.1'],
  until: '2h',
  approved_by: 'The head',
  reason: 'A trial.',
};

test('one that is answered is in force and in the file', async () => {
  expect(await statusOf(lab.proxyUrl)).toBe('400');
  const { status, json } = await send('POST', 'exceptions', { ...wanted, by: 'alice' });
  expect([status, json['id']]).toEqual([201, 'anthropic-for-127-0-0-1']);
  expect(await statusOf(lab.proxyUrl)).toBe('502');
  expect(readFileSync(join(lab.dir, 'exceptions.jsonl'), 'utf8')).toContain('"created_by":"alice"');
  await eventually('the line of the access log', () =>
    lab.lines().some(({ sallyport }) => sallyport['exception'] === 'anthropic-for-127-0-0-1'),
  );
  expect(await lab.metric('sallyport_exceptions_active')).toBe(1);
  const end = await lab.metric('sallyport_exceptions_next_expiry_timestamp_seconds');
  expect(Math.abs(end - Date.now() / 1000 - 7200)).toBeLessThan(60);
  expect((await send('DELETE', 'exceptions/anthropic-for-127-0-0-1')).status).toBe(200);
  expect(await statusOf(lab.proxyUrl)).toBe('400');
  expect(await lab.metric('sallyport_exceptions_active')).toBe(0);
  expect(await lab.metrics()).not.toContain('\nsallyport_exceptions_next_expiry');
});

test('one that cannot be is refused with its reason', async () => {
  expect(await send('POST', 'exceptions', { ...wanted, vendors: ['antropic'] })).toEqual({
    status: 400,
    json: { error: 'unknown vendor "antropic"; did you mean "anthropic"?', status: 400 },
  });
  expect((await send('DELETE', 'exceptions/nothing')).status).toBe(404);
  expect((await send('POST', 'pauses', { vendor: 'anthropic', for: 'ever' })).status).toBe(400);
});

test('a pause counts what it lets through', async () => {
  const before = await lab.metric('sallyport_would_deny_total', 'rule="claude-ban"');
  expect((await send('POST', 'pauses', { vendor: 'anthropic', for: '30m' })).status).toBe(201);
  expect(await statusOf(lab.proxyUrl)).toBe('502');
  expect(await lab.metric('sallyport_pauses_active')).toBe(1);
  await eventually('the line of the access log', () =>
    lab
      .lines()
      .some(({ sallyport, rule }) => sallyport['exception'] === 'pause-anthropic' && rule?.id === 'claude-ban'),
  );
  expect(await lab.metric('sallyport_would_deny_total', 'rule="claude-ban"')).toBe(before + 1);
  expect((await send('DELETE', 'pauses/anthropic')).status).toBe(200);
  expect(await statusOf(lab.proxyUrl)).toBe('400');
});

test('status and the home page show what holds, and not who asked for it', async () => {
  const home = async (): Promise<string> =>
    (await curl(`http://127.0.0.1:${lab.addresses.pages.port}/`)).out.replace(/\s+/g, ' ');
  const status = async (): Promise<unknown> => JSON.parse((await curl(api('status'))).out);
  expect(await status()).toMatchObject({ exceptions: { active: 0, nextEndAt: null }, pauses: [] });
  expect(await home()).not.toMatch(/Not blocked for now|in force/);

  const asked = { vendor: 'anthropic', for: '30m', reason: 'Asked for by Grace', by: 'grace' };
  expect((await send('POST', 'pauses', asked)).status).toBe(201);
  expect((await send('POST', 'exceptions', { ...wanted, id: 'shown', by: 'alice' })).status).toBe(201);
  const shown = await status();
  expect(shown).toMatchObject({
    exceptions: { active: 1, nextEndAt: expect.stringMatching(/Z$/) as string },
    pauses: [{ vendor: 'anthropic', until: expect.stringMatching(/Z$/) as string }],
  });
  const page = await home();
  expect(page).toContain('Not blocked for now');
  expect(page).toMatch(/<li><bdi>Anthropic<\/bdi>, until \d+ \w+ \d{4}, \d\d:\d\d UTC<\/li>/);
  expect(page).toContain('1 in force');
  for (const text of [page, JSON.stringify(shown)]) expect(text).not.toMatch(/grace|alice|The head|A trial/i);

  expect((await send('DELETE', 'pauses/anthropic')).status).toBe(200);
  expect((await send('DELETE', 'exceptions/shown')).status).toBe(200);
  expect(await home()).not.toMatch(/Not blocked for now|in force/);
});

test('what another process writes acts within a second', async () => {
  const args = ['--vendor', 'anthropic', '--until', '1h', '--approved-by', 'x', '--reason', 'y', '--id', 'by-hand'];
  const added = run(['exceptions', 'add', ...args, '-c', lab.file]);
  expect(await added.ended).toMatchObject({ code: 0 });
  expect(await eventuallyStatus(lab.proxyUrl, '502', 1_000)).toBeLessThan(1_000);
  const revoked = run(['exceptions', 'revoke', 'by-hand', '-c', lab.file]);
  expect(await revoked.ended).toMatchObject({ code: 0 });
  expect(await eventuallyStatus(lab.proxyUrl, '400', 1_000)).toBeLessThan(1_000);
});

test('they end by themselves', async () => {
  const until = new Date(Date.now() + 2_000).toISOString();
  expect((await send('POST', 'exceptions', { ...wanted, id: 'short', until })).status).toBe(201);
  expect(await statusOf(lab.proxyUrl)).toBe('502');
  await eventuallyStatus(lab.proxyUrl, '400', 3_000);
  expect(await lab.metric('sallyport_exceptions_active')).toBe(0);
});

test('a broken file leaves those in force, and a reload too', async () => {
  expect((await send('POST', 'exceptions', { ...wanted, id: 'kept' })).status).toBe(201);
  const file = join(lab.dir, 'exceptions.jsonl');
  const good = readFileSync(file, 'utf8');
  writeFileSync(file, `${good}{"id":`);
  const line = `exceptions: ${file}:${good.split('\n').length}:1: not valid JSON; each line is one exception; correct or remove it; those in force stay`;
  await eventually('the complaint', () => lab.told.includes(line));
  expect(await lab.metric('sallyport_exceptions_last_load_successful')).toBe(0);
  expect(await statusOf(lab.proxyUrl)).toBe('502');
  expect(lab.gateway.reload()).toBe(true);
  expect(await statusOf(lab.proxyUrl)).toBe('502');
  expect((await send('POST', 'exceptions', { ...wanted, id: 'more' })).status).toBe(503);
  writeFileSync(file, good);
  await eventually('that it is good again', () => lab.told.includes('exceptions: the file is readable again'));
  expect(await lab.metric('sallyport_exceptions_last_load_successful')).toBe(1);
  expect((await send('DELETE', 'exceptions/kept')).status).toBe(200);
});

test('a person who was denied inside a tunnel is let in by the next one', async () => {
  const args = ['-o', '/dev/null', '-w', '%{http_code}\n', '--cacert', lab.caFile, '-x', lab.proxyUrl];
  expect((await curl(...args, 'https://claude.ai/')).out).toBe('400\n');
  expect((await send('POST', 'exceptions', { ...wanted, id: 'inside' })).status).toBe(201);
  // Let through, and nobody listens: the tunnel fails, and no answer of ours is inside it.
  expect((await curl(...args, 'https://claude.ai/')).out).toBe('000\n');
  expect((await send('DELETE', 'exceptions/inside')).status).toBe(200);
});

describe('on its own', () => {
  const config = { policy, settings: {} };

  test('20 command lines at once all add theirs', { timeout: 180_000 }, async () => {
    const product = await serve(config);
    const adds = Array.from({ length: 20 }, (_, number) =>
      run(
        ['exceptions', 'add', '--vendor', 'anthropic', '--user', `user-${number}`, '--until', '1h'].concat([
          '--approved-by',
          'x',
          '--reason',
          'y',
          '-c',
          product.file,
        ]),
      ),
    );
    const codes = await Promise.all(adds.map(async ({ ended, stderr }) => [(await ended).code, stderr()]));
    expect(codes).toEqual(adds.map(() => [0, '']));
    await eventually(
      'that all are in force',
      () =>
        product
          .stderr()
          .split('\n')
          .filter((line) => line.includes('exception anthropic')).length === 20,
    );
    expect(await product.metric('sallyport_exceptions_active')).toBe(20);
  });

  test('what was answered outlives the process that is killed', async () => {
    const product = await serve(config);
    const body = JSON.stringify({ ...wanted, id: 'outlives' });
    const answer = await fetch(`http://127.0.0.1:${product.adminPort}/api/exceptions`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(201);
    product.kill('SIGKILL');
    await product.ended;
    const again = run(['exceptions', 'list', '--json', '-c', product.file]);
    await again.ended;
    expect(JSON.parse(again.stdout())).toMatchObject({ exceptions: [{ id: 'outlives', state: 'active' }] });
  });
});

test('many at once are all made, while others are served', async () => {
  const users = Array.from({ length: 60 }, (_, number) => `many-${number}`);
  const waits: number[] = [];
  const done = new AbortController();
  const served = (async () => {
    while (!done.signal.aborted) {
      const since = performance.now();
      await statusOf(lab.proxyUrl);
      waits.push(performance.now() - since);
    }
  })();
  const answers = await Promise.all(
    users.map((user) => send('POST', 'exceptions', { ...wanted, networks: undefined, users: [user] })),
  );
  done.abort();
  await served;
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  const file = readFileSync(join(lab.dir, 'exceptions.jsonl'), 'utf8');
  expect(users.filter((user) => !file.includes(`"${user}"`))).toEqual([]);
  // Half a minute and five seconds, where each had a file of its own beside the lock.
  expect(Math.max(...waits)).toBeLessThan(3_000);
});

test('one whose client has gone before its turn is not made', async () => {
  const locks = (): number => readdirSync(lab.dir).filter((name) => name.includes('.jsonl.lock-')).length;
  await withLock(join(lab.dir, 'exceptions.jsonl'), async () => {
    const gone = new AbortController();
    const body = JSON.stringify({ ...wanted, networks: undefined, users: ['gone'] });
    const headers = { 'content-type': 'application/json' };
    const answer = fetch(api('exceptions'), { method: 'POST', body, headers, signal: gone.signal });
    await eventually('a change that waits', () => locks() === 2);
    gone.abort();
    await expect(answer).rejects.toThrow(/aborted/);
    await send('GET', 'exceptions');
  });
  expect((await send('POST', 'exceptions', { ...wanted, networks: undefined, users: ['stays'] })).status).toBe(201);
  expect(readFileSync(join(lab.dir, 'exceptions.jsonl'), 'utf8')).not.toContain('"gone"');
});
