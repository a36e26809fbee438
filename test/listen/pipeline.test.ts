import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { enterLine, owes } from '../../src/listen/pipeline.ts';

/** A connection with as many requests sent, none of which is answered, and what Node.js tells of its end. */
function owing(count: number): { socket: Socket; leave: () => void } {
  // A reset is an error of a socket that was never connected.
  const socket = new Socket().on('error', () => undefined);
  const answers = Array.from({ length: count }, () => new ServerResponse(new IncomingMessage(socket)));
  for (const res of answers) enterLine(socket, res, () => undefined);
  const leave = (): void => {
    socket.destroy();
    answers[0]?.emit('close');
  };
  return { socket, leave };
}

test('once all connections together owe very many, one has its share, until others are gone', () => {
  const greedy = Array.from({ length: 50 }, () => owing(1_000));
  expect(owing(100).socket.destroyed).toBe(false);
  expect(owing(101).socket.destroyed).toBe(true);
  for (const { socket, leave } of greedy) {
    expect(socket.destroyed).toBe(false);
    leave();
    expect(owes(socket)).toBe(false);
  }
  expect(owing(1_000).socket.destroyed).toBe(false);
  expect(owing(1_001).socket.destroyed).toBe(true);
});
