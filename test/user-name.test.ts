import { expect, test } from 'vitest';
import { foldName } from '../src/user-name.ts';

test.each([
  ['ada', 'ADA'],
  ['ada', 'Ada'],
  ['corp\\ada', 'CORP\\Ada'],
  ['ada@corp.example', 'Ada@Corp.Example'],
  ['\u00e9lodie', 'E\u0301LODIE'],
  ['\u03bf\u03b4\u03bf\u03c2', '\u039f\u0394\u039f\u03a3'],
  ['\u03bf\u03b4\u03bf\u03c3', '\u039f\u0394\u039f\u03a3'],
])('%s and %s are one', (one, other) => {
  expect(foldName(one)).toBe(foldName(other));
});

test.each([
  ['ada', 'CORP\\ada'],
  ['ada', 'ada@corp.example'],
  ['ada', 'ada '],
  ['jose', 'jos\u00e9'],
  ['strasse', 'stra\u00dfe'],
])('%s and %s are two', (one, other) => {
  expect(foldName(one)).not.toBe(foldName(other));
});
