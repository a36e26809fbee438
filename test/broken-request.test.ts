import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { tellBroken, whenBroken } from '../src/broken-request.ts';

test('whoever carries the request out is told, and whoever asks learns whether somebody does', () => {
  const res = new ServerResponse(new IncomingMessage(new Socket()));
  expect(tellBroken(res, 'malformed_request')).toBe(false);
  const told: string[] = [];
  whenBroken(res, (code) => void told.push(code));
  expect(tellBroken(res, 'malformed_request')).toBe(true);
  expect(told).toEqual(['malformed_request']);
});
