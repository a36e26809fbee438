/** The layout shared by all pages: header, content and footer. */
import { html, quoted, render, styleElement } from './html.ts';
import type { Html } from './html.ts';
import { contactHref } from './links.ts';
import type { Company } from './settings.ts';
import { phrasesFor } from './phrases.ts';
import type { Phrases } from './phrases.ts';
import { createSkin } from './style.ts';
import type { Skin } from './style.ts';
import { oneLine } from './text.ts';

/** A complete document with the Content-Security-Policy that it needs. */
export interface Page {
  readonly html: string;
  readonly csp: string;
  readonly language: string;
  /** The value of the `Refresh` field, which redirects after a delay; null: no redirect. */
  readonly refresh: string | null;
}

export interface Layout {
  /** The texts of the layout itself; absent: English. */
  readonly phrases?: Phrases;
  /** The whole message in one line: some clients display nothing else of a page. */
  readonly title: string;
  /** Null if unknown. */
  readonly company: Company | null;
  /** The section that the page belongs to, shown in the corner. */
  readonly room: string;
  readonly content: Html;
  readonly foot: Html | null;
  /** Redirects after a delay. */
  readonly onward?: { readonly seconds: number; readonly url: string } | null;
  readonly wide?: boolean;
  /** The page is served at an origin's address, and may be shown in another site's frame. */
  readonly framed?: boolean;
  /** The page is shown in a frame: its links open in a new tab, since few sites allow framing. */
  readonly inFrame?: boolean;
}

/** A company is the same object until the next reload, so its skin is created once. */
const skins = new WeakMap<Company, Skin>();
const plainSkin = createSkin({});

function skinOf(company: Company | null): Skin {
  if (company === null) return plainSkin;
  const known = skins.get(company) ?? createSkin(company);
  skins.set(company, known);
  return known;
}

export function layout({ phrases = phrasesFor(''), title, company, room, content, onward, ...rest }: Layout): Page {
  const { foot, wide, framed, inFrame } = rest;
  const name = oneLine(company?.name ?? 'Sallyport', 80);
  const skin = skinOf(company);
  const mark = company?.logo == null ? gate : html`<img src="${company.logo}" alt="" />`;
  const page = html`<!doctype html>
    <html lang="${phrases.language}">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex, nofollow" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        ${inFrame === true ? html`<base target="_blank" />` : null} ${styleElement(skin.sheet)}
      </head>
      <body class="${wide === true ? 'wide' : 'narrow'}">
        <a class="skip" href="#content">${phrases.skip}</a>
        <header class="top">${mark}<span>${quoted(name)}</span><span class="room">${room}</span></header>
        <main id="content">${content}</main>
        <footer class="foot">${foot}</footer>
      </body>
    </html> `;
  return {
    html: render(page),
    csp: framed === true ? skin.framedCsp : skin.ownCsp,
    language: phrases.language,
    // A header field rather than a meta element, which accessibility checkers report.
    refresh: onward ? `${onward.seconds}; url=${onward.url}` : null,
  };
}

/** A link if there is an address, otherwise only the text. */
export function linkOr(text: string, href: string | null): Html {
  return href === null ? quoted(text) : html`<a href="${href}">${quoted(text)}</a>`;
}

export function contactLine(company: Company | null, { questions }: Phrases = phrasesFor('')): Html | null {
  if (company?.contact == null) return null;
  const href = contactHref(company.contact);
  return html`<p>${questions} ${linkOr(oneLine(company.contact, 120), href)}</p>`;
}

/** A list of terms and descriptions; rows without a description are omitted. */
export function factList(rows: readonly (readonly [string, Html | string | null])[]): Html {
  const shown = rows.filter(([, value]) => value !== null && value !== '');
  return html`<dl class="facts">
    ${shown.map(
      ([term, value]) =>
        html`<dt>${term}</dt>
          <dd>${typeof value === 'string' ? quoted(value) : value}</dd> `,
    )}
  </dl>`;
}

/** The logo: an arched gate with an arrow leading out. */
const gate = html`<svg
  viewBox="0 0 32 32"
  fill="none"
  stroke="currentColor"
  stroke-width="2.6"
  stroke-linecap="round"
  stroke-linejoin="round"
  aria-hidden="true"
  focusable="false"
>
  <path d="M5 28V14a9.5 9.5 0 0 1 19 0v3" />
  <path d="M5 28h9" />
  <path d="M13 22.5h15m-5-5 5 5-5 5" />
</svg>`;

export const haltIcon = html`<svg
  viewBox="0 0 20 20"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  aria-hidden="true"
  focusable="false"
>
  <circle cx="10" cy="10" r="7.5" />
  <path d="m4.8 15.2 10.4-10.4" />
</svg>`;

export const goodIcon = html`<svg
  viewBox="0 0 20 20"
  fill="none"
  stroke="currentColor"
  stroke-width="2"
  stroke-linecap="round"
  stroke-linejoin="round"
  aria-hidden="true"
  focusable="false"
>
  <circle cx="10" cy="10" r="7.5" />
  <path d="m6.7 10.3 2.3 2.3 4.4-4.9" />
</svg>`;

export const arrowIcon = html`<svg
  viewBox="0 0 20 20"
  fill="none"
  stroke="currentColor"
  stroke-width="2.2"
  stroke-linecap="round"
  stroke-linejoin="round"
  aria-hidden="true"
  focusable="false"
>
  <path d="M3.5 10h13m-5-5 5 5-5 5" />
</svg>`;
