/**
 * Finds the template that covers a host. Used only if the index of names has no match.
 *
 * Templates are grouped by their fixed end, so a host is compared only with those of its own cloud, and the cost does
 * not grow with the number of vendors. Labels are matched from both ends without backtracking, so no host can make it
 * slow.
 */
import type { HostTemplate, LabelPart } from '../flow.ts';

export interface TemplateEntry<T> {
  readonly template: HostTemplate;
  readonly value: T;
}

const placeTest = {
  name: (text: string) => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(text),
  // Storage hosts are named like bucket.s3-us-west-2.amazonaws.com, where anyone can choose the bucket.
  region: (text: string) => /^(?!(?:oss|tos|obs|cos)-)[a-z]{2,}-[a-z0-9-]*[a-z0-9]$/.test(text),
  digits: (text: string) => /^[0-9]+$/.test(text),
} as const;

function textOf(part: LabelPart | undefined): string | null {
  return part !== undefined && 'text' in part ? part.text : null;
}

function placeOf(part: LabelPart | undefined): keyof typeof placeTest | null {
  return part !== undefined && 'place' in part ? part.place : null;
}

/** Fixed text is removed at both ends; the rest is one placeholder, or two with text between them. */
function fitsLabel(label: string, parts: readonly LabelPart[]): boolean {
  const head = textOf(parts[0]) ?? '';
  const rest = head === '' ? parts : parts.slice(1);
  if (rest.length === 0) return label === head;
  const end = textOf(rest.at(-1)) ?? '';
  const middle = end === '' ? rest : rest.slice(0, -1);
  if (!label.startsWith(head) || !label.endsWith(end) || label.length <= head.length + end.length) return false;
  const between = label.slice(head.length, label.length - end.length);
  const [first, text, second] = middle;
  const place = placeOf(first);
  if (place === null) return false;
  if (text === undefined) return placeTest[place](between);
  const cut = between.indexOf(textOf(text) ?? '', 1);
  const other = placeOf(second);
  if (cut === -1 || other === null) return false;
  return placeTest[place](between.slice(0, cut)) && placeTest[other](between.slice(cut + (textOf(text) ?? '').length));
}

function fits(before: readonly string[], { labels, below }: HostTemplate): boolean {
  const extra = before.length - labels.length;
  if (extra < 0 || (extra > 0 && !below)) return false;
  return labels.every((parts, i) => fitsLabel(before[extra + i] ?? '', parts));
}

/** The value of the template that covers a host, or null. The longest fixed end wins, then the order given. */
export function indexTemplates<T>(entries: Iterable<TemplateEntry<T>>): (host: string) => T | null {
  const byTail = new Map<string, TemplateEntry<T>[]>();
  for (const entry of entries) {
    const list = byTail.get(entry.template.tail);
    if (list === undefined) byTail.set(entry.template.tail, [entry]);
    else list.push(entry);
  }
  return (host) => {
    for (let start = 0; ;) {
      const list = byTail.get(host.slice(start));
      if (list !== undefined) {
        const before = start === 0 ? [] : host.slice(0, start - 1).split('.');
        const found = list.find(({ template }) => fits(before, template));
        if (found !== undefined) return found.value;
      }
      start = host.indexOf('.', start) + 1;
      if (start === 0) return null;
    }
  };
}
