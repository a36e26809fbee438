import { expect, test } from 'vitest';
import type { Decision } from '../../src/flow.ts';
import { createRuleText, createServiceText, createTargetText, ofWords, memoize } from '../../src/record/fragments.ts';
import { claude, host } from './attempts.ts';

test('a value is written in the same way however often it comes, and soon no more', () => {
  let written = 0;
  const text = memoize((value) => {
    written += 1;
    return `<${value}é>`;
  });
  for (let time = 0; time < 1000; time += 1) {
    for (const value of ['a', 'b', 'c']) expect(text(value)).toBe(`<${value}é>`);
  }
  expect(written).toBeLessThan(100);
});

test('a flood of values that come once is written as it comes', () => {
  const text = memoize((value) => `<${value}>`);
  for (let time = 0; time < 50_000; time += 1) expect(text(`value-${time}`)).toBe(`<value-${time}>`);
});

test('a long value is written each time', () => {
  let written = 0;
  const text = memoize((value) => {
    written += 1;
    return value;
  });
  for (let time = 0; time < 100; time += 1) text('x'.repeat(257));
  expect(written).toBe(100);
});

test('a rule whose reason changes has the reason of each decision', () => {
  const text = createRuleText();
  for (let time = 0; time < 100; time += 1) {
    const decision: Decision = { effect: 'allow', rule: 'r', reason: `Reason ${time % 2} "here".` };
    expect(text(decision)).toBe(`,"reason":"Reason ${time % 2} \\"here\\"."},"rule":{"id":"r"}`);
  }
});

test('a host has the port and the kind that it is asked for', () => {
  const text = createTargetText();
  for (let time = 0; time < 100; time += 1) {
    const port = 440 + (time % 3);
    const name = text({ host: host('a.example'), kind: 'name', port });
    expect(name.destination).toBe(`},"destination":{"port":${port},"domain":"a.example"`);
    expect(name.authority).toBe(`"domain":"a.example","port":${port}`);
    const address = text({ host: host('10.0.0.1'), kind: 'ipv4', port });
    expect(address.destination).toBe(`},"destination":{"port":${port}`);
    expect(address.authority).toBe(`"domain":"10.0.0.1","port":${port}`);
  }
});

test('services of one product in two catalogues are told apart', () => {
  const text = createServiceText();
  const resold = { ...claude, channel: 'cloud' as const };
  for (let time = 0; time < 2; time += 1) {
    expect(text(claude)).toBe(',"vendor":"anthropic","product":"claude","channel":"direct"');
    expect(text(resold)).toBe(',"vendor":"anthropic","product":"claude","channel":"cloud"');
  }
});

test('every combination of words has its text', () => {
  const text = ofWords(['a', 'b'], ['c', 'd'], ['e'], (one, two, three) => one + two + three);
  expect(text).toEqual({ a: { c: { e: 'ace' }, d: { e: 'ade' } }, b: { c: { e: 'bce' }, d: { e: 'bde' } } });
});
