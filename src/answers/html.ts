/** The only way that markup is made: a template in which everything put in is escaped. */
import { showBidi } from './text.ts';

const markup: unique symbol = Symbol('markup');

/** Markup that {@link html} made. Nothing else can make one. */
export interface Html {
  readonly [markup]: string;
}

/** What may be put into a template. Null shows nothing; a list is joined. */
export type Shown = string | number | Html | null | readonly Shown[];

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe as text and inside a quoted attribute. Replaced by a function, so that `$&` in the text means nothing. */
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

/** Strings are escaped, markup is taken as it is, lists are joined. Attributes must be quoted. */
export function html(parts: TemplateStringsArray, ...values: readonly Shown[]): Html {
  let text = parts[0] ?? '';
  values.forEach((value, index) => (text += source(value) + (parts[index + 1] ?? '')));
  return { [markup]: text };
}

/**
 * The one element whose content is not escaped, because HTML gives it none (raw text, HTML section 13.1.2).
 *
 * @throws where the sheet would end the element.
 */
export function styleElement(sheet: string): Html {
  if (sheet.includes('</')) throw new Error('A style sheet may not contain "</".');
  return { [markup]: `<style>${sheet}</style>` };
}

/** A text that somebody else wrote: its writing direction stays its own, and its language where that is known. */
export function quoted(text: string, language: string | null = null): Html {
  return language === null ? html`<bdi>${text}</bdi>` : html`<bdi lang="${language}">${text}</bdi>`;
}

/** The document as it is sent. */
export function render(page: Html): string {
  return page[markup];
}
