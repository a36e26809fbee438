import { once } from 'node:events';
import { PassThrough, type Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { startReading, resumeReading, stopReading } from '../src/reading.ts';
import { eventually, socketPair } from './support/streams.ts';

interface Ends {
  readonly near: Duplex;
  readonly far: Duplex;
}

/** What is read directly, and what can only be read as a stream. */
const kinds: readonly (readonly [string, () => Promise<Ends>])[] = [
  ['a socket', socketPair],
  [
    'a stream',
    () => {
      const both = new PassThrough();
      return Promise.resolve({ near: both, far: both });
    },
  ],
];

/** Takes down what it is given, and says whether it wants more. */
function listener(goOn: () => boolean = () => true): { take: (bytes: Buffer) => boolean; heard: () => string } {
  let text = '';
  return {
    heard: () => text,
    take(bytes) {
      text += bytes.toString('latin1');
      return goOn();
    },
  };
}

test.each(kinds)('of %s each hears in turn, and what comes while nobody does waits', async (_, make) => {
  const { near, far } = await make();
  const [first, second] = [listener(), listener()];
  startReading(near, first.take);
  far.write('one ');
  await eventually('the first hears', () => first.heard() === 'one ');
  stopReading(near);
  far.write('two ');
  await eventually('it waits', () => near.readableLength === 4);
  far.write('three ');
  startReading(near, second.take);
  await eventually('the second hears', () => second.heard() === 'two three ');
  far.end('four');
  await once(near, 'end');
  expect([first.heard(), second.heard()]).toEqual(['one ', 'two three four']);
});

test.each(kinds)('of %s one may take over while another hears', async (_, make) => {
  const { near, far } = await make();
  const second = listener();
  let first = '';
  startReading(near, (bytes) => {
    first += bytes.toString('latin1');
    startReading(near, second.take);
    return true;
  });
  far.write('one');
  await eventually('the first hears', () => first === 'one');
  far.end('two');
  await once(near, 'end');
  expect([first, second.heard()]).toEqual(['one', 'two']);
});

test.each(kinds)('%s is read no more until somebody goes on', async (_, make) => {
  const { near, far } = await make();
  let free = false;
  const { take, heard } = listener(() => free);
  startReading(near, take);
  const block = 'x'.repeat(16 * 1024);
  far.write(block);
  await eventually('the first bytes', () => heard().length > 0);
  const blocks = 1_000;
  for (let i = 0; i < blocks; i += 1) far.write(block);
  far.end();
  await new Promise((resolve) => setTimeout(resolve, 100));
  // One read may have been under way.
  expect(heard().length).toBeLessThan(300_000);
  free = true;
  resumeReading(near);
  await once(near, 'end');
  expect(heard().length).toBe((blocks + 1) * block.length);
});

test('what is over while nobody hears is told to who hears later, and then its end', async () => {
  const { near, far } = await socketPair();
  startReading(near, () => true);
  stopReading(near);
  let ended = false;
  near.on('end', () => (ended = true));
  far.end('last words');
  await eventually('it waits', () => near.readableLength === 10);
  expect(ended).toBe(false);
  const { take, heard } = listener();
  startReading(near, take);
  await eventually('the end', () => ended);
  expect(heard()).toBe('last words');
});

test('whoever hears is told of the end once it is there, and nobody else', async () => {
  const { near, far } = await socketPair();
  const told: string[] = [];
  startReading(
    near,
    () => true,
    () => told.push('first'),
  );
  startReading(
    near,
    () => true,
    () => told.push('second'),
  );
  far.end('words');
  await eventually('the end', () => told.length > 0);
  stopReading(near);
  near.destroy();
  await once(near, 'close');
  expect(told).toEqual(['second']);
});

test('somebody who knows nothing of this reads on as from any socket', async () => {
  const { near, far } = await socketPair();
  const { take, heard } = listener();
  startReading(near, take);
  far.write('one');
  await eventually('the first word', () => heard() === 'one');
  stopReading(near);
  near.unshift('zero ');
  far.end('two');
  let text = '';
  for await (const chunk of near) text += String(chunk);
  expect(text).toBe('zero two');
});

test('a socket that is closed already has nothing to say', async () => {
  const { near } = await socketPair();
  near.destroy();
  const { take, heard } = listener();
  expect(() => startReading(near, take)).not.toThrow();
  resumeReading(near);
  stopReading(near);
  expect(heard()).toBe('');
});
