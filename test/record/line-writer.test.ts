import { expect, onTestFinished, test, vi } from 'vitest';
import { createLineWriter } from '../../src/record/line-writer.ts';
import type { Destination, LineWriter } from '../../src/record/line-writer.ts';

interface Held {
  readonly chunk: string;
  readonly end: (written?: number, error?: Error) => void;
}

/** A destination that ends its writes when the test says so. */
function held() {
  const writes: Held[] = [];
  const reopened: string[] = [];
  const closes: string[] = [];
  const waiting: (() => void)[] = [];
  let reopenError: Error | null = null;
  const destination: Destination = {
    write(chunk, done) {
      writes.push({ chunk: chunk.toString(), end: (written = chunk.length, error) => done(written, error ?? null) });
      waiting.shift()?.();
    },
    reopen(done) {
      reopened.push('reopened');
      done(reopenError);
      waiting.shift()?.();
    },
    close: () => void closes.push('closed'),
  };
  const faults: string[] = [];
  const writer = createLineWriter(destination, (error, fault) => void faults.push(`${fault} ${error.message}`));
  return {
    writer,
    faults,
    reopened,
    closes,
    failReopen: (error: Error | null) => {
      reopenError = error;
    },
    /** Resolves at the next write or reopening. */
    turn: () => new Promise<void>((resolve) => waiting.push(resolve)),
    last(): Held {
      const write = writes.at(-1);
      if (write === undefined) throw new Error('nothing was written');
      return write;
    },
    writes,
  };
}

async function nextWrite(stand: ReturnType<typeof held>, ...lines: readonly string[]): Promise<Held> {
  const turn = stand.turn();
  for (const line of lines) stand.writer.write(line);
  await turn;
  return stand.last();
}

test('lines of one moment leave together, and lines behind a write leave with the next', async () => {
  const stand = held();
  const first = await nextWrite(stand, 'a\n', 'b\n');
  expect(first.chunk).toBe('a\nb\n');
  stand.writer.write('c\n');
  stand.writer.write('d\n');
  expect(stand.writes).toHaveLength(1);
  const turn = stand.turn();
  first.end();
  await turn;
  expect(stand.last().chunk).toBe('c\nd\n');
  stand.last().end();
  expect(stand.writer.lost).toBe(0);
});

test('a full buffer drops and counts, and takes lines again when it has room', async () => {
  const stand = held();
  const first = await nextWrite(stand, 'a\n');
  const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;
  for (let count = 0; count < 10; count += 1) stand.writer.write(line);
  expect(stand.writer.lost).toBe(2);
  first.end();
  expect(stand.last().chunk).toHaveLength(8 * 1024 * 1024);
  stand.writer.write('b\n');
  const turn = stand.turn();
  stand.last().end();
  await turn;
  expect(stand.last().chunk).toBe('b\n');
  stand.last().end();
  expect(stand.writer.lost).toBe(2);
});

test('a failed write costs its lines, and one fault a spell is told', async () => {
  const stand = held();
  (await nextWrite(stand, 'a\n', 'b\n')).end(0, new Error('ENOSPC'));
  (await nextWrite(stand, 'c\n')).end(0, new Error('ENOSPC'));
  expect(stand.writer.lost).toBe(3);
  (await nextWrite(stand, 'd\n')).end();
  (await nextWrite(stand, 'e\n')).end(0, new Error('ENOSPC again'));
  expect(stand.writer.lost).toBe(4);
  expect(stand.faults).toEqual(['write ENOSPC', 'write ENOSPC again']);
});

test('a write that ends inside a line does not spoil the next line', async () => {
  const stand = held();
  (await nextWrite(stand, 'first\n', 'second\n')).end('first\nsec'.length, new Error('ENOSPC'));
  expect(stand.writer.lost).toBe(1);
  const still = await nextWrite(stand, 'third\n');
  expect(still.chunk).toBe('\nthird\n');
  still.end(0, new Error('ENOSPC'));
  expect(stand.writer.lost).toBe(2);
  const better = await nextWrite(stand, 'fourth\n');
  expect(better.chunk).toBe('\nfourth\n');
  better.end();
  const whole = await nextWrite(stand, 'fifth\n');
  expect(whole.chunk).toBe('fifth\n');
});

test('a reopening waits for the write under way and goes before the next', async () => {
  const stand = held();
  const first = await nextWrite(stand, 'a\n');
  stand.writer.reopen();
  stand.writer.write('b\n');
  expect(stand.reopened).toHaveLength(0);
  first.end();
  expect(stand.reopened).toHaveLength(1);
  expect(stand.writes).toHaveLength(1);
  await stand.turn();
  expect(stand.last().chunk).toBe('b\n');
});

test('a reopening that fails is told, and writing goes on', async () => {
  const stand = held();
  stand.failReopen(new Error('EACCES'));
  const turn = stand.turn();
  stand.writer.reopen();
  await turn;
  (await nextWrite(stand, 'a\n')).end();
  expect(stand.faults).toEqual(['reopen EACCES']);
  expect(stand.writer.lost).toBe(0);
});

test('a reopening that failed is tried again before a later line, once a second, and told once', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const stand = held();
  stand.failReopen(new Error('EMFILE'));
  const turn = stand.turn();
  stand.writer.reopen();
  await turn;
  (await nextWrite(stand, 'a\n')).end();
  vi.advanceTimersByTime(999);
  (await nextWrite(stand, 'b\n')).end();
  expect(stand.reopened).toHaveLength(1);
  for (const tries of [2, 3]) {
    vi.advanceTimersByTime(1000);
    const retried = stand.turn();
    stand.writer.write('c\n');
    await retried;
    expect(stand.reopened).toHaveLength(tries);
    expect(stand.writes).toHaveLength(tries);
    await stand.turn();
    stand.last().end();
    stand.failReopen(null);
  }
  vi.advanceTimersByTime(1000);
  (await nextWrite(stand, 'd\n')).end();
  expect(stand.reopened).toHaveLength(3);
  expect(stand.faults).toEqual(['reopen EMFILE']);
});

test('close waits for what is queued; later lines count as lost', async () => {
  const stand = held();
  const first = await nextWrite(stand, 'a\n');
  stand.writer.write('b\n');
  const closed = closing(stand.writer);
  first.end();
  expect(stand.last().chunk).toBe('b\n');
  expect(closed.done).toBe(false);
  stand.last().end();
  await closed.promise;
  expect(stand.closes).toEqual(['closed']);
  stand.writer.write('c\n');
  expect(stand.writer.lost).toBe(1);
});

test('close gives up on a reader that does not read', async () => {
  const stand = held();
  await nextWrite(stand, 'a\n');
  stand.writer.write('b\n');
  await stand.writer.close();
  expect(stand.writer.lost).toBe(1);
  expect(stand.closes).toEqual([]);
});

test('closing twice closes once', async () => {
  const stand = held();
  await Promise.all([stand.writer.close(), stand.writer.close()]);
  expect(stand.closes).toEqual(['closed']);
});

function closing(writer: LineWriter) {
  const state = { done: false, promise: Promise.resolve() };
  state.promise = writer.close().then(() => {
    state.done = true;
  });
  return state;
}
