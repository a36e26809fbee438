/** What a worker tells is gathered, and nothing of it is lost. */
import { expect, test } from 'vitest';
import type { ToPrimary } from '../../src/workers/messages.ts';
import { createReportBatch } from '../../src/workers/report-batch.ts';

const note = (clientAddress: string) => ({ clientAddress, result: 'accepted', at: 1 }) as const;

test('what comes at the same moment is one message', async () => {
  const sent: ToPrimary[] = [];
  const news = createReportBatch((message) => void sent.push(message));
  news.note(note('192.0.2.1'));
  news.note(note('192.0.2.2'));
  news.loggedIn({ client: '192.0.2.3', user: 'ada' });
  expect(sent).toEqual([]);
  await expect
    .poll(() => sent)
    .toEqual([
      {
        kind: 'reports',
        blocked: [],
        notes: [note('192.0.2.1'), note('192.0.2.2')],
        logins: [{ client: '192.0.2.3', user: 'ada' }],
      },
    ]);
});

test('much is sent in several messages, and the rest when asked for', () => {
  const sent: ToPrimary[] = [];
  const news = createReportBatch((message) => void sent.push(message));
  for (let n = 0; n < 1_234; n += 1) news.note(note(`client ${n}`));
  news.flush();
  news.flush();
  expect(sent.map((message) => (message.kind === 'reports' ? message.notes.length : -1))).toEqual([500, 500, 234]);
});
