import { expect, test } from 'vitest';
import { createRecord } from '../../src/record/sink.ts';
import type { Sink } from '../../src/record/sink.ts';
import { attempt, rejected } from './attempts.ts';

function listSink(name: string, log: string[]): Sink {
  return {
    name,
    decided: ({ arrival }) => void log.push(`${name} decided ${arrival.id}`),
    finished: ({ arrival }) => void log.push(`${name} finished ${arrival.id}`),
    rejected: ({ id }) => void log.push(`${name} rejected ${id}`),
    close: () => Promise.resolve(void log.push(`${name} closed`)),
  };
}

function brokenSink(): Sink {
  const fail = (): never => {
    throw new Error('broken');
  };
  return {
    name: 'broken',
    decided: fail,
    finished: fail,
    rejected: fail,
    close: () => Promise.reject(new Error('broken too')),
  };
}

test('every sink hears of everything, also behind one that throws', async () => {
  const log: string[] = [];
  const faults: string[] = [];
  const record = createRecord(
    [listSink('a', log), brokenSink(), listSink('b', log)],
    (sink, error) => void faults.push(`${sink}: ${String(error)}`),
  );
  record.decided(attempt({ id: '1' }));
  record.finished(attempt({ id: '1' }));
  record.rejected({ ...rejected, id: '2' });
  await record.close();
  expect(log).toEqual([
    'a decided 1',
    'b decided 1',
    'a finished 1',
    'b finished 1',
    'a rejected 2',
    'b rejected 2',
    'a closed',
    'b closed',
  ]);
  expect(faults).toEqual([
    'broken: Error: broken',
    'broken: Error: broken',
    'broken: Error: broken',
    'broken: Error: broken too',
  ]);
});

test('a fault listener that throws breaks nothing either', async () => {
  const log: string[] = [];
  const record = createRecord([brokenSink(), listSink('b', log)], () => {
    throw new Error('no');
  });
  record.decided(attempt());
  record.finished(attempt());
  await record.close();
  expect(log).toHaveLength(3);
});
