import { expect, test } from 'vitest';
import { createRecent } from '../../src/record/recent.ts';
import { attempt, block, denial } from './attempts.ts';

test('the facts of a block, and nothing that could be secret', () => {
  const recent = createRecent();
  recent.finished(block({ id: 'a', facts: { path: '/chat/hidden?key=hidden' }, userAgent: 'hidden' }));
  expect(recent.find('a', '10.0.0.7')).toEqual({
    id: 'a',
    at: Date.UTC(2026, 6, 10, 8, 30, 15, 7),
    clientAddress: '10.0.0.7',
    host: 'claude.ai',
    vendor: 'Anthropic',
    product: 'Claude',
    rule: 'claude-banned',
    reason: 'High-risk since 10 July.',
    assistant: denial.assistant,
    link: denial.link,
    answer: 'page',
  });
  expect(JSON.stringify(recent.find('a', '10.0.0.7'))).not.toContain('hidden');
});

test('only the same client finds a block', () => {
  const recent = createRecent();
  recent.finished(block({ id: 'a', clientAddress: '10.0.0.7' }));
  expect(recent.find('a', '10.0.0.8')).toBe(null);
  expect(recent.find('b', '10.0.0.7')).toBe(null);
  expect(recent.ofClient('10.0.0.8')).toEqual([]);
});

test('the client is the one that was identified, not the hop before the proxy', () => {
  const recent = createRecent();
  recent.finished(block({ id: 'a', clientAddress: '10.9.9.9', client: { address: '10.0.0.7' } }));
  expect(recent.find('a', '10.0.0.7')?.id).toBe('a');
  expect(recent.find('a', '10.9.9.9')).toBe(null);
});

test('one machine is one client, by either of its loopback addresses', () => {
  const recent = createRecent();
  recent.finished(block({ id: 'a', clientAddress: '127.0.0.1' }));
  expect(recent.find('a', '::1')?.id).toBe('a');
  expect(recent.find('a', '127.0.0.2')).toBe(null);
});

test('what passed is not remembered', () => {
  const recent = createRecent();
  recent.finished(attempt({ id: 'passed' }));
  recent.finished(block({ id: 'blocked' }));
  expect(recent.ofClient('10.0.0.7').map(({ id }) => id)).toEqual(['blocked']);
});

test('a client’s blocks come newest first, and the oldest of all go when it is full', () => {
  const recent = createRecent(3);
  for (const id of ['a', 'b', 'c', 'd']) recent.finished(block({ id }));
  expect(recent.ofClient('10.0.0.7').map(({ id }) => id)).toEqual(['d', 'c', 'b']);
  expect(recent.ofClient('10.0.0.7', 2).map(({ id }) => id)).toEqual(['d', 'c']);
  expect(recent.find('a', '10.0.0.7')).toBe(null);
});
