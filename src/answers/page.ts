/** The page that a person sees at a denied address. It gives the reason and redirects to the assistant. */
import type { Denial, RequestFacts } from '../flow.ts';
import { headerOf } from './dialect.ts';
import { html, quoted } from './html.ts';
import type { Html } from './html.ts';
import { arrowIcon, factList, haltIcon, layout, linkOr } from './layout.ts';
import type { Page } from './layout.ts';
import { isAt, webUrl, withContext } from './links.ts';
import { limits, policyKeysOf, wordsIn } from './message.ts';
import type { Words } from './message.ts';
import { phrasesFor } from './phrases.ts';
import type { Phrases } from './phrases.ts';
import type { About, AnswerSettings } from './settings.ts';
import { ONWARD_SECONDS } from './style.ts';
import { dateAndTime, isoTime, longDate, oneLine } from './text.ts';

export interface PageFacts {
  readonly denial: Denial;
  readonly about: About;
  readonly facts: RequestFacts;
  readonly settings: AnswerSettings;
  readonly words: Words;
}

/** The assistant's URL with the signed context of this block, or null if there is none. */
export function assistantUrl({ denial, about, settings, words }: Omit<PageFacts, 'facts'>): string | null {
  if (words.assistant?.url == null) return null;
  const token = settings.sign({ vendor: policyKeysOf(denial, words).vendor, id: about.id }, about.at);
  return withContext(words.assistant.url, token);
}

/** Whether the page may redirect: not in a frame, and not to the denied address itself, which would loop forever. */
export function mayRedirect({ about, facts, words }: Pick<PageFacts, 'about' | 'facts' | 'words'>): boolean {
  if (words.assistant?.url == null) return false;
  return !isInFrame(facts) && !isAt(words.assistant.url, about.target);
}

function isInFrame(facts: RequestFacts): boolean {
  const place = headerOf(facts, 'sec-fetch-dest');
  return place !== '' && place !== 'document';
}

/** Everything in a request that the page depends on. */
export function pageVaries(facts: RequestFacts): string {
  return `${headerOf(facts, 'accept-language')} ${isInFrame(facts) ? 'framed' : ''}`;
}

export function redirectPage(page: PageFacts): Page {
  const { denial, about, settings } = page;
  const wanted = headerOf(page.facts, 'accept-language');
  const phrases = phrasesFor(wanted, settings.language);
  const words = wordsIn(denial, about, settings, wanted, phrases.language);
  const url = assistantUrl(page);
  const moves = url !== null && mayRedirect(page);
  const host = quoted(about.target.host);
  const { reason } = words;
  return layout({
    phrases,
    title: phrases.title(words.product, words.assistant?.name ?? null),
    company: settings.company,
    room: phrases.room,
    content: html`<article class="card">
      <p class="badge halt">${haltIcon}${phrases.blocked}</p>
      <h1>${phrases.unavailable(quoted(words.product))}</h1>
      <p class="lead">${reason.text === '' ? phrases.noReason : quoted(reason.text, reason.language)}</p>
      ${onward(words, phrases, url, moves)} ${blockFacts(page, words, phrases)} ${ask(words, phrases)}
    </article>`,
    foot: html`<p>${phrases.source(quoted(oneLine(settings.company.name, limits.name)), host)}</p>`,
    onward: moves ? { seconds: ONWARD_SECONDS, url } : null,
    framed: true,
    inFrame: isInFrame(page.facts),
  });
}

function onward(words: Words, phrases: Phrases, url: string | null, moves: boolean): Html | null {
  const { assistant } = words;
  if (assistant === null) return null;
  const name = quoted(assistant.name);
  const button = html`<p>
    <a class="button" href="${url}"><span>${phrases.continueTo(name)}</span>${arrowIcon}</a>
  </p>`;
  const timed = html`<div class="wait" aria-hidden="true"><span></span></div>
    <p class="soft small timed">
      ${phrases.takenThere(ONWARD_SECONDS)} <a href="${words.details}">${phrases.stay}</a>
    </p>`;
  return html`<section class="onward" aria-labelledby="onward">
    <h2 id="onward">${phrases.useInstead(name)}</h2>
    <p class="soft">${phrases.approved}</p>
    ${moveOver(words)} ${url === null ? null : button} ${moves ? timed : null}
  </section>`;
}

function moveOver({ migration }: Words): Html | null {
  if (migration === null) return null;
  return html`<p>${quoted(migration.text, migration.language)}</p>`;
}

function blockFacts({ denial, about, settings }: PageFacts, words: Words, phrases: Phrases): Html {
  const { since } = denial;
  const background = webUrl(denial.details ?? '');
  const { language } = phrases;
  const from =
    since === null
      ? null
      : html`<time datetime="${isoTime(since)}">${longDate(since, settings.timeZone, language)}</time>`;
  return factList([
    [phrases.service, denial.service === null ? null : words.what],
    [phrases.address, about.target.host],
    [phrases.since, from],
    [phrases.rule, html`<code>${words.rule}</code>`],
    [phrases.owner, denial.owner === undefined ? null : oneLine(denial.owner, limits.name)],
    [phrases.background, background === null ? null : linkOr(oneLine(background, limits.url), background)],
    [phrases.thisRequest, html`<time datetime="${isoTime(about.at)}">${dateAndTime(about.at, language)}</time>`],
    [phrases.reference, html`<a href="${words.details}"><code>${words.id}</code></a>`],
  ]);
}

function ask({ ask: where, id }: Words, phrases: Phrases): Html | null {
  if (where === null) return null;
  const reference = html`<code>${id}</code>`;
  const link = where.href?.startsWith('http') === true ? where.href : null;
  return html`<section class="ask" aria-labelledby="ask">
    <h2 id="ask">${phrases.needed}</h2>
    <p class="soft">
      ${link === null ? phrases.ask(linkOr(where.text, where.href), reference) : phrases.requestAccess(link, reference)}
    </p>
  </section>`;
}
