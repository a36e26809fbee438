import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { enterLine, owes } from '../../src/listen/pipeline.ts';

interface Sent {
  /** Of field lines, each with a name of one letter and no value. */
  readonly fields?: number;
  /** Bytes of content, which has come and is read by nobody. */
  readonly content?: number;
}

/** A connection with as many requests sent, none of which is answered, and what Node.js tells of its end. */
function owing(count: number, { fields = 0, content = 0 }: Sent = {}): { socket: Socket; leave: () => void } {
  // A reset is an error of a socket that was never connected.
  const socket = new Socket().on('error', () => undefined);
  const answers: ServerResponse[] = [];
  for (let i = 0; i < count; i += 1) {
    const req = new IncomingMessage(socket);
    req.rawHeaders = Array.from({ length: fields }, () => ['a', '']).flat();
    const res = new ServerResponse(req);
    answers.push(res);
    enterLine(socket, res, () => undefined);
    if (content > 0) req.push(Buffer.alloc(content));
  }
  const leave = (): void => {
    socket.destroy();
    answers[0]?.emit('close');
  };
  onTestFinished(leave);
  return { socket, leave };
}

const isReset = (count: number, sent: Sent = {}): boolean => {
  const { socket, leave } = owing(count, sent);
  const was = socket.destroyed;
  leave();
  return was;
};

test('what waits on a connection may hold 4 MiB, by what its fields and its content take', () => {
  expect(isReset(1_000)).toBe(false);
  expect(isReset(1_500)).toBe(true);
  expect(isReset(150, { fields: 200 })).toBe(false);
  expect(isReset(200, { fields: 200 })).toBe(true);
  expect(isReset(60, { content: 60_000 })).toBe(false);
  expect(isReset(80, { content: 60_000 })).toBe(true);
});

test('what is under way does not count, whatever it holds', () => {
  expect(isReset(1, { fields: 100_000, content: 1 << 24 })).toBe(false);
});

test('once all connections together hold very much, one has its share, until others are gone', () => {
  const greedy = Array.from({ length: 43 }, () => owing(1_000));
  expect(isReset(1_000)).toBe(true);
  // What it needed to be all that there is room for.
  greedy.push(owing(700), owing(16), owing(16), owing(16));
  expect(isReset(12, { fields: 5 })).toBe(false);
  expect(isReset(50)).toBe(true);
  for (const { socket, leave } of greedy) {
    expect(socket.destroyed).toBe(false);
    leave();
    expect(owes(socket, () => true)).toBe(false);
  }
  expect(isReset(1_000)).toBe(false);
});
