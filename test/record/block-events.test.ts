import { expect, test } from 'vitest';
import { createBlockEvents, eventText, type BlockEvent } from '../../src/record/block-events.ts';
import { attempt, block, denied } from './attempts.ts';

const window = 60_000;

function started(limit?: number) {
  const published: BlockEvent[] = [];
  const clock = { now: 1_000_000 };
  const events = createBlockEvents(
    { window, now: () => clock.now, publish: (event) => void published.push({ ...event }) },
    limit,
  );
  return { events, published, clock };
}

test('retries of one client against one rule are one event, with all of them counted', () => {
  const { events, published, clock } = started();
  for (const id of ['a', 'b', 'c']) {
    events.finished(block({ id }));
    clock.now += 10_000;
  }
  expect(published).toHaveLength(1);
  expect(published[0]).toMatchObject({
    id: 'a',
    at: 1_000_000,
    clientAddress: '10.0.0.7',
    host: 'claude.ai',
    vendor: 'anthropic',
    product: 'claude',
    rule: 'claude-banned',
    answer: 'page',
    attempts: 1,
  });
  expect(events.open()).toMatchObject([{ id: 'a', attempts: 3, lastAt: 1_020_000 }]);
  expect(events.counts()).toEqual([{ vendor: 'anthropic', product: 'claude', rule: 'claude-banned', count: 1 }]);
});

test('another client, and the same one after the window, are events of their own', () => {
  const { events, published, clock } = started();
  events.finished(block({ id: 'a' }));
  events.finished(block({ id: 'b', client: { address: '10.0.0.8' } }));
  clock.now += window - 1;
  events.finished(block({ id: 'c' }));
  clock.now += 1;
  events.finished(block({ id: 'd' }));
  expect(published.map(({ id }) => id)).toEqual(['a', 'b', 'd']);
  expect(events.open().map(({ id }) => id)).toEqual(['d']);
  expect(events.counts()).toMatchObject([{ count: 3 }]);
});

test('users of one address and rules of one client are told apart, also after they have ended', () => {
  const { events, clock } = started();
  const other = { ...denied, rule: 'other' };
  const four = [
    block({ id: 'a' }),
    block({ id: 'b', client: { user: 'jane' } }),
    block({ id: 'c', client: { user: 'joe' } }),
    block({ id: 'd', decision: other }),
  ];
  for (let round = 0; round < 2; round += 1) {
    for (const one of [...four, ...four]) events.finished(one);
    expect(events.open().map(({ id, attempts }) => [id, attempts])).toEqual(['d', 'c', 'b', 'a'].map((id) => [id, 2]));
    clock.now += window;
    expect(events.open()).toEqual([]);
  }
});

test('what was not blocked is no event', () => {
  const { events, published } = started();
  events.finished(attempt({}));
  expect(published).toEqual([]);
});

test('the number of open windows is bounded; the oldest gives way', () => {
  const { events, clock } = started(2);
  for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
    events.finished(block({ client: { address } }));
    clock.now += 1;
  }
  expect(events.open().map(({ clientAddress }) => clientAddress)).toEqual(['10.0.0.3', '10.0.0.2']);
});

test('the text of an event is one line of JSON with the names of ECS', () => {
  const { events, published } = started();
  events.finished(block({ id: 'a', host: 'evil"\n.example' }));
  const text = published.map(eventText).join('');
  expect(text).not.toContain('\n');
  expect(JSON.parse(text)).toEqual({
    '@timestamp': '1970-01-01T00:16:40.000Z',
    'log.level': 'warn',
    'ecs.version': '8.11.0',
    event: {
      id: 'a',
      kind: 'alert',
      dataset: 'sallyport.block_event',
      category: ['network'],
      type: ['denied'],
      action: 'block-event',
      reason: 'High-risk since 10 July.',
    },
    rule: { id: 'claude-banned' },
    client: { ip: '10.0.0.7' },
    destination: { domain: 'evil"\n.example' },
    sallyport: { vendor: 'anthropic', product: 'claude', answer: 'page' },
  });
});
