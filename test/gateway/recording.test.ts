import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createRecording, type RecordingOptions } from '../../src/gateway/recording.ts';
import { block } from '../record/attempts.ts';
import { quietObserved } from '../record/quiet-observed.ts';
import { closedPort } from '../support/origins.ts';
import { eventually } from '../support/streams.ts';

function start(blockEvents: Partial<RecordingOptions['config']['blockEvents']> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-recording-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const told: string[] = [];
  const recording = createRecording({
    config: {
      accessLog: { path: join(dir, 'access.log'), format: 'ecs' },
      blockEvents: { window: 60_000, path: join(dir, 'events.log'), webhook: null, ...blockEvents },
      trust: { refusals: 3, window: 60_000, fallback: 60_000 },
      vendors: [],
    },
    build: { version: '0', nodeVersion: 'v0' },
    stdout: new PassThrough(),
    log: (line) => void told.push(line),
    elsewhere: null,
    observed: quietObserved,
  });
  const lines = (name: string): string[] => readFileSync(join(dir, name), 'utf8').split('\n').slice(0, -1);
  return { dir, told, recording, lines };
}

test('each attempt is a line of the access log; all of them are one event, one line, and counted apart', async () => {
  const { recording, lines } = start();
  for (let i = 0; i < 4; i += 1) recording.record.finished(block({ id: `id-${i}` }));
  const metrics = await recording.metrics.render();
  await recording.record.close();
  expect(lines('access.log')).toHaveLength(4);
  expect(lines('events.log').map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { event: { id: 'id-0', action: 'block-event' }, rule: { id: 'claude-banned' } },
  ]);
  expect(metrics).toMatch(/^sallyport_blocked_total\{.*rule="claude-banned".*\} 4$/m);
  expect(metrics).toContain('sallyport_block_events_total{vendor="anthropic",product="claude",rule="claude-banned"} 1');
  expect(recording.lists['block-events']()).toMatchObject({ events: [{ id: 'id-0', attempts: 4 }] });
});

test('an event goes to the webhook too', async () => {
  const got: string[] = [];
  const server = createServer((req, res) => void text(req).then((body) => (got.push(body), res.end())));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { recording, lines } = start({ webhook: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
  recording.record.finished(block({ id: 'a' }));
  await eventually('the message', () => got.length === 1);
  await recording.record.close();
  expect(got).toEqual(lines('events.log'));
});

test('events that reach neither the file nor the webhook are counted, by where they were to go', async () => {
  const { told, recording } = start({ path: '/dev/full', webhook: `http://127.0.0.1:${await closedPort()}/` });
  recording.record.finished(block({ id: 'a' }));
  await eventually('both told', () => told.length === 2);
  const metrics = await recording.metrics.render();
  for (const sink of ['log', 'webhook']) {
    expect(metrics).toContain(`sallyport_block_events_lost_total{sink="${sink}"} 1`);
  }
});

test('what clients made of the leaf is counted and listed', async () => {
  const { recording } = start();
  for (const address of ['10.0.0.7', '10.0.0.8']) recording.trust.note(address, 'unknown_ca', Date.now());
  expect(await recording.metrics.render()).toContain('sallyport_client_trust_total{result="unknown_ca"} 2');
  expect(recording.lists.trust()).toMatchObject({
    results: { unknown_ca: 2, accepted: 0 },
    networks: [{ network: '10.0.0.0/24', clients: 2, needCa: 2, fallbackUntil: null }],
  });
});

test('where the new file cannot be opened, lines go on into the old one, and it is tried again', async () => {
  const { dir, told, recording, lines } = start();
  const away = `${dir}.away`;
  onTestFinished(() => rmSync(away, { recursive: true, force: true }));
  renameSync(dir, away);
  recording.reopen();
  await eventually('both told', () => told.length === 2);
  const where =
    'lines still go to the file that was open; opening the new one is tried again every second while lines come';
  expect(told.toSorted()).toEqual([
    expect.stringMatching(new RegExp(`^access log: ENOENT.*; ${where}$`)),
    expect.stringMatching(new RegExp(`^block events: ENOENT.*; ${where}$`)),
  ]);
  recording.record.finished(block({ id: 'meanwhile' }));
  await eventually('a line in the old file', () => readFileSync(join(away, 'access.log'), 'utf8') !== '');
  mkdirSync(dir);
  await eventually('the new file', () => {
    recording.record.finished(block({ id: 'later' }));
    return existsSync(join(dir, 'access.log'));
  });
  await recording.record.close();
  expect(lines('access.log').at(-1)).toContain('"later"');
  expect(told).toHaveLength(2);
});

test('both logs are opened anew after rotation', async () => {
  const { dir, recording, lines } = start();
  for (const name of ['access.log', 'events.log']) renameSync(join(dir, name), join(dir, `${name}.1`));
  recording.reopen();
  await eventually('the new files', () => {
    try {
      return [lines('access.log'), lines('events.log')].flat().length === 0;
    } catch {
      return false;
    }
  });
  recording.record.finished(block({ id: 'a' }));
  await recording.record.close();
  expect(lines('access.log')).toHaveLength(1);
  expect(lines('events.log')).toHaveLength(1);
});

test('without a file for events nothing is written and nothing breaks', async () => {
  const { recording, told } = start({ path: 'none' });
  recording.record.finished(block({ id: 'a' }));
  await recording.record.close();
  expect(told).toEqual([]);
});
