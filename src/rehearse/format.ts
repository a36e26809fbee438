/** Detects the format of a log from its first lines. */
import { createCommonReader, isCommonLine } from './common-line.ts';
import { readJsonLine } from './json-line.ts';
import type { ReadLine } from './line.ts';
import { isSquidLine, readSquidLine } from './squid-line.ts';

const formats = ['squid', 'common', 'json'] as const;
export type Format = (typeof formats)[number];

/** Formats by name, including other common names. */
export const formatAliases: Readonly<Record<string, Format>> = {
  squid: 'squid',
  native: 'squid',
  common: 'common',
  combined: 'common',
  json: 'json',
  ecs: 'json',
};

const looks: Readonly<Record<Format, (text: string) => boolean>> = {
  json: (text) => text.trimStart().startsWith('{'),
  squid: isSquidLine,
  common: isCommonLine,
};

/** The format of most of the lines, or null if no line has a known format. */
export function formatOf(lines: readonly string[]): Format | null {
  const counts = formats.map((format) => ({ format, count: lines.filter(looks[format]).length }));
  const [best] = counts.toSorted((a, b) => b.count - a.count);
  return best === undefined || best.count === 0 ? null : best.format;
}

export function readerOf(format: Format): ReadLine {
  switch (format) {
    case 'squid':
      return readSquidLine;
    case 'common':
      return createCommonReader();
    case 'json':
      return readJsonLine;
  }
}
