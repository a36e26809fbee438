import { expect, test } from 'vitest';
import { createScrapes } from '../../src/gateway/scrapes.ts';
import { eventually } from '../support/streams.ts';

test('many who ask at once get one rendering, and never one that began before they asked', async () => {
  let renderings = 0;
  let clock = 0;
  let told = 'before';
  const scrape = createScrapes(
    () => {
      renderings += 1;
      clock += 10;
      return Promise.resolve(told);
    },
    () => clock,
  );
  expect(await scrape()).toBe('before');
  const waiting = Array.from({ length: 50 }, () => scrape());
  told = 'after';
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['after']));
  expect(renderings).toBe(2);
});

test('who asks after a rest waits for nobody, and a rendering that fails keeps none from the next', async () => {
  let clock = 0;
  let fails = true;
  const scrape = createScrapes(
    () => (fails ? Promise.reject(new Error('no')) : Promise.resolve('text')),
    () => clock,
  );
  await expect(scrape()).rejects.toThrow('no');
  fails = false;
  clock += 1_000;
  expect(await scrape()).toBe('text');
});

test('who asks during a rendering gets the next one, which begins when that one is over', async () => {
  const open: ((text: string) => void)[] = [];
  const scrape = createScrapes(
    () => new Promise((resolve) => void open.push(resolve)),
    () => 0,
  );
  const first = scrape();
  const others = [scrape(), scrape()];
  await new Promise(setImmediate);
  expect(open.length).toBe(1);
  open[0]?.('first');
  expect(await first).toBe('first');
  await eventually('the next rendering', () => open.length === 2);
  open[1]?.('second');
  expect(await Promise.all(others)).toEqual(['second', 'second']);
  expect(open.length).toBe(2);
});
