import { ClientRequest } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { limitInterim } from '../../src/act/interim.ts';

test('a hundred interim answers pass, and one more is told once', () => {
  const request = new ClientRequest({ createConnection: () => new PassThrough() });
  let told = 0;
  limitInterim(request, () => (told += 1));
  for (let i = 0; i < 100; i += 1) request.emit('information');
  expect(told).toBe(0);
  for (let i = 0; i < 100; i += 1) request.emit('information');
  expect(told).toBe(1);
  request.on('error', () => undefined).destroy();
});
