/** The pages port's pages except home: the built-in assistant page, the details of a block, and not found. */
import type { Assistant, Texts } from '../flow.ts';
import { homeWords } from './home-words.ts';
import type { HomeWords } from './home-words.ts';
import { html, quoted } from './html.ts';
import type { Html } from './html.ts';
import { arrowIcon, contactLine, factList, goodIcon, haltIcon, layout, linkOr } from './layout.ts';
import type { Page } from './layout.ts';
import { contactHref, webUrl } from './links.ts';
import { localize } from './languages.ts';
import { limits } from './message.ts';
import { phrasesFor } from './phrases.ts';
import type { Language, Phrases } from './phrases.ts';
import type { Company } from './settings.ts';
import { dateAndTime, isoTime, oneLine } from './text.ts';

/** Where a visitor of the assistant page came from. */
export type CameFrom =
  | { readonly kind: 'nowhere' }
  /** The signed context is valid. `vendor` is the display name, or null if it is not in the catalogue. */
  | { readonly kind: 'block'; readonly vendor: string | null; readonly id: string; readonly detailsUrl: string | null }
  /** The context is not valid. */
  | { readonly kind: 'unverified'; readonly why: 'malformed' | 'forged' | 'expired' };

export interface AssistantModel {
  readonly company: Company;
  /** The name of the assistant. */
  readonly name: string;
  readonly from: CameFrom;
  /** Absent: English. */
  readonly phrases?: Phrases;
}

/** The built-in page that stands in for the approved assistant. */
export function assistantPage({ company, name, from, phrases = phrasesFor('') }: AssistantModel): Page {
  const shown = oneLine(name, limits.name);
  const words = homeWords(phrases.language).assistant;
  return layout({
    phrases,
    title: words.title(shown),
    company,
    room: words.room,
    content: html`<article class="card">
      <p class="badge good">${goodIcon}${words.approved}</p>
      <h1>${words.welcome(quoted(shown))}</h1>
      <p class="lead">${words.lead}</p>
      ${arrival(from, words)}
      <p class="soft small">${words.standIn(html`<code>assistants</code>`)}</p>
    </article>`,
    foot: contactLine(company, phrases),
  });
}

function arrival(from: CameFrom, words: HomeWords['assistant']): Html | null {
  switch (from.kind) {
    case 'nowhere':
      return null;
    case 'block': {
      const id = html`<code>${oneLine(from.id, limits.name)}</code>`;
      const vendor = quoted(oneLine(from.vendor ?? words.anotherService, limits.name));
      const reference = words.reference(from.detailsUrl === null ? id : html`<a href="${from.detailsUrl}">${id}</a>`);
      return html`<section class="onward" aria-labelledby="from">
        <h2 id="from">${words.onTheWay(vendor)}</h2>
        <p>${words.nothingSent} <span class="soft">${reference}</span></p>
      </section>`;
    }
    case 'unverified':
      return html`<section class="onward" aria-labelledby="from">
        <h2 id="from">${words.unknownOrigin}</h2>
        <p>${words.doubts[from.why]} ${words.goOn}</p>
      </section>`;
  }
}

/** A block, as shown to the person who was blocked. */
export interface BlockFacts {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly host: string;
  readonly vendor: string | null;
  readonly product: string | null;
  readonly rule: string;
  readonly reason: string;
  /** The reason by language, if it is available in several. */
  readonly reasons?: Texts | undefined;
  readonly assistant: Assistant | null;
  readonly link: string | null;
  readonly answer: string | null;
}

export interface BlockedModel {
  readonly company: Company;
  readonly block: BlockFacts;
  /** The Accept-Language field of the request. */
  readonly acceptLanguage: string;
  /** The default for a browser that requests none of our languages. */
  readonly language?: Language;
}

export function blockedDetailsPage({ company, block, acceptLanguage, language }: BlockedModel): Page {
  const phrases = phrasesFor(acceptLanguage, language);
  const product = oneLine(block.product ?? block.host, limits.name);
  const url = block.assistant === null ? null : webUrl(block.assistant.url);
  const name = quoted(oneLine(block.assistant?.name ?? '', limits.name));
  const where = block.link ?? company.contact;
  const reason = localize(block.reasons, block.reason, acceptLanguage, phrases.language);
  const button = html`<p class="ask">
    <a class="button" href="${url}"><span>${phrases.continueTo(name)}</span>${arrowIcon}</a>
  </p>`;
  return layout({
    phrases,
    title: phrases.detailsTitle(product, block.id),
    company,
    room: phrases.detailsRoom,
    content: html`<article class="card">
      <p class="badge halt">${haltIcon}${phrases.blocked}</p>
      <h1>${phrases.wasBlocked(quoted(product))}</h1>
      <p class="lead">${quoted(oneLine(reason.text, limits.reason), reason.language)}</p>
      ${factList([
        [phrases.service, block.product === null ? null : product],
        [phrases.vendor, block.vendor === null ? null : oneLine(block.vendor, limits.name)],
        [phrases.address, block.host],
        [phrases.rule, html`<code>${oneLine(block.rule, limits.rule)}</code>`],
        [phrases.time, html`<time datetime="${isoTime(block.at)}">${dateAndTime(block.at, phrases.language)}</time>`],
        [phrases.answeredAs, block.answer],
        [phrases.reference, html`<code>${block.id}</code>`],
        [phrases.whereToAsk, where === null ? null : linkOr(oneLine(where, limits.url), contactHref(where))],
      ])}
      ${url === null ? null : button}
    </article>`,
    foot: html`<p>${phrases.onlyThisMachine}</p>`,
  });
}

/** Also used for an unknown block and for another client's block, which must look the same. */
export function notFoundPage(company: Company | null = null, phrases = phrasesFor('')): Page {
  return layout({
    phrases,
    title: phrases.absentTitle,
    company,
    room: phrases.absentRoom,
    content: html`<article class="card">
      <p class="badge">404</p>
      <h1>${phrases.absentTitle}</h1>
      <p class="lead">${phrases.absent}</p>
      <p class="soft">${phrases.absentWhy}</p>
      <p><a href="/">${phrases.toHome}</a></p>
    </article>`,
    foot: contactLine(company, phrases),
  });
}
