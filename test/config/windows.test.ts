import { describe, expect, test } from 'vitest';
import { parseWindow } from '../../src/config/windows.ts';
import { ConfigError } from '../../src/errors.ts';

const all = 0b111_1111;
const weekdays = 0b001_1111;

describe('a weekly window', () => {
  test.each<readonly [text: string, days: number, start: number, end: number]>([
    ['mon-fri 08:00-18:00', weekdays, 480, 1080],
    ['Mon-Fri 8:00-18:00', weekdays, 480, 1080],
    ['monday-friday 08:00-18:00', weekdays, 480, 1080],
    ['sat,sun', 0b110_0000, 0, 1440],
    ['sat-mon', 0b110_0001, 0, 1440],
    ['mon,wed-thu 12:30-12:31', 0b000_1101, 750, 751],
    ['fri 22:00-06:00', 0b001_0000, 1320, 1800],
    ['fri 22:00-24:00', 0b001_0000, 1320, 1440],
    ['fri 22:00-00:00', 0b001_0000, 1320, 1440],
    ['daily 00:00-24:00', all, 0, 1440],
    ['daily', all, 0, 1440],
    ['22:00-06:00', all, 1320, 1800],
  ])('%s', (text, days, start, end) => {
    expect(parseWindow(text)).toEqual({ days, start, end });
  });

  test.each([
    ['tuseday 08:00-18:00', '"tuseday" is not a day of the week; did you mean "tuesday"?'],
    ['mon-tue-wed', '"mon-tue-wed" is not a range of days; write days and hours such as'],
    ['mon 08:00', '"08:00" is not a range of hours; write days and hours such as'],
    ['mon 08:00-25:00', '"25:00" is not a time of day; write 00:00 to 24:00'],
    ['mon 24:00-08:00', '"24:00" is not a time of day; write 00:00 to 23:59'],
    ['mon 08:60-09:00', '"08:60" is not a time of day'],
    ['mon 8-18', '"8" is not a time of day'],
    ['mon 08:00-08:00', '"08:00-08:00" has no length; for whole days write only the days'],
    ['mon 08:00 - 18:00', '"mon 08:00 - 18:00" is not a time window; write days and hours such as'],
    ['', '"" is not a day of the week'],
  ])('%s is refused', (text, message) => {
    expect(() => parseWindow(text)).toThrow(ConfigError);
    expect(() => parseWindow(text)).toThrow(message);
  });
});
