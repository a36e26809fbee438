import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createWebhook } from '../../src/record/webhook.ts';
import { eventually } from '../support/streams.ts';

/** A server that answers with the statuses in turn, then with the last one; 0: never. */
async function receiver(...statuses: number[]) {
  const got: { type: string | undefined; body: string }[] = [];
  const server: Server = createServer((req, res) => {
    void text(req).then((body) => {
      got.push({ type: req.headers['content-type'], body });
      const status = (statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200;
      if (status > 0) res.writeHead(status).end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=secret`, got, server };
}

function hook(url: string, { timeout = 2_000, pause = 1 } = {}) {
  const faults: string[] = [];
  const webhook = createWebhook({ url, timeout, pause, onFault: (error) => void faults.push(error.message) });
  return { webhook, faults };
}

test('messages arrive whole and in order', async () => {
  const { url, got } = await receiver(204);
  const { webhook, faults } = hook(url);
  for (const body of ['{"a":"é"}', '{"b":2}', '{"c":3}']) webhook.send(body);
  await eventually('three messages', () => got.length === 3);
  expect(got.map(({ body }) => body)).toEqual(['{"a":"é"}', '{"b":2}', '{"c":3}']);
  expect(got[0]?.type).toBe('application/json');
  await webhook.close();
  expect([faults, webhook.lost()]).toEqual([[], 0]);
});

test('a spell of failures is told once, and what follows it arrives', async () => {
  const { url, got } = await receiver(500, 500, 200);
  const { webhook, faults } = hook(url);
  for (const body of ['1', '2', '3']) webhook.send(body);
  await eventually('three messages', () => got.length === 3);
  await webhook.close();
  expect(faults).toEqual(['the server answered with status 500']);
  expect(webhook.lost()).toBe(2);
});

test('after a failure there is a pause, in which messages wait instead of failing one by one', async () => {
  const { url, got } = await receiver(500);
  const { webhook, faults } = hook(url, { pause: 60_000 });
  for (const body of ['1', '2', '3']) webhook.send(body);
  await eventually('the fault', () => faults.length === 1);
  // A message that was sent at once would be there before all of these.
  for (let i = 0; i < 5; i += 1) await fetch(url, { method: 'POST', body: 'later' });
  expect(got.map(({ body }) => body)).toEqual(['1', ...Array.from({ length: 5 }, () => 'later')]);
  expect(webhook.lost()).toBe(1);
  await webhook.close();
  expect(webhook.lost()).toBe(3);
});

test.each([
  ['nobody listens', (url: string, server: Server) => (server.close(), url)],
  ['nobody answers', (url: string) => url],
])('%s: the message is lost, and the secret of the address is not told', async (_what, prepare) => {
  const { url, server } = await receiver(0);
  const { webhook, faults } = hook(prepare(url, server), { timeout: 200 });
  webhook.send('1');
  await eventually('the fault', () => faults.length === 1);
  expect(webhook.lost()).toBe(1);
  expect(faults[0]).not.toContain('secret');
});

test('what waits at the end is given up, and what is too much is dropped', async () => {
  const { url, got } = await receiver(0);
  const { webhook } = hook(url, { timeout: 300 });
  for (let i = 0; i < 1002; i += 1) webhook.send(String(i));
  expect(webhook.lost()).toBe(1);
  await webhook.close();
  expect(webhook.lost()).toBe(1002);
  expect(got.length).toBeLessThanOrEqual(1);
});
