/** Markup can only be made by this template tag, which escapes every value. */
import { showBidi } from './text.ts';

const markup: unique symbol = Symbol('markup');

/** Markup made by {@link html}; nothing else can create it. */
export interface Html {
  readonly [markup]: string;
}

/** A value for a template. Null renders nothing; a list is joined. */
export type Shown = string | number | Html | null | readonly Shown[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe as text and in a quoted attribute. */
function escape(text: string): string {
  return showBidi(text).replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

function source(value: Shown): string {
  if (value === null) return '';
  if (typeof value === 'string') return escape(value);
  if (typeof value === 'number') return String(value);
  if (markup in value) return value[markup];
  return value.map(source).join('');
}

/** Escapes strings, inserts markup as it is, joins lists. Attributes must be quoted. */
export function html(parts: TemplateStringsArray, ...values: readonly Shown[]): Html {
  let text = parts[0] ?? '';
  values.forEach((value, index) => (text += source(value) + (parts[index + 1] ?? '')));
  return { [markup]: text };
}

/**
 * The one element whose content is not escaped, since HTML has no escapes in raw text (HTML section 13.1.2).
 *
 * @throws if the sheet would close the element.
 */
export function styleElement(sheet: string): Html {
  if (sheet.includes('</')) throw new Error('A style sheet may not contain "</".');
  return { [markup]: `<style>${sheet}</style>` };
}

/** Text from elsewhere, isolated so that its writing direction does not affect ours; `language` is null if unknown. */
export function quoted(text: string, language: string | null = null): Html {
  return language === null ? html`<bdi>${text}</bdi>` : html`<bdi lang="${language}">${text}</bdi>`;
}

/** The markup as text. */
export function render(page: Html): string {
  return page[markup];
}
