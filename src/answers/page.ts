/** The redirect page: what a person sees at a denied address. It says why, and takes them on to the assistant. */
import type { Denial, RequestFacts } from '../flow.ts';
import { headerOf } from './dialect.ts';
import { html, quoted } from './html.ts';
import type { Html } from './html.ts';
import { arrowIcon, factList, haltIcon, layout, linkOr } from './layout.ts';
import type { Page } from './layout.ts';
import { leadsTo, withContext } from './links.ts';
import { limits, policyKeysOf } from './message.ts';
import type { Words } from './message.ts';
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

/** The assistant with the signed context of this block, or null where there is none to go to. */
export function onwardUrl({ denial, about, settings, words }: Omit<PageFacts, 'facts'>): string | null {
  if (words.assistant?.url == null) return null;
  const token = settings.sign({ vendor: policyKeysOf(denial, words).vendor, id: about.id }, about.at);
  return withContext(words.assistant.url, token);
}

/** A frame is not taken elsewhere, nor is anybody to the very address that is denied: that would go round for ever. */
export function mayMoveOn({ about, facts, words }: Pick<PageFacts, 'about' | 'facts' | 'words'>): boolean {
  if (words.assistant?.url == null) return false;
  const place = headerOf(facts, 'sec-fetch-dest');
  return (place === '' || place === 'document') && !leadsTo(words.assistant.url, about.target);
}

export function redirectPage(page: PageFacts): Page {
  const { about, settings, words } = page;
  const url = onwardUrl(page);
  const moves = url !== null && mayMoveOn(page);
  const use = words.assistant === null ? '' : ` — use ${words.assistant.name}`;
  return layout({
    title: `Blocked by company policy: ${words.product}${use}`,
    company: settings.company,
    room: 'AI service policy',
    content: html`<article class="card">
      <p class="badge halt">${haltIcon}Blocked by company policy</p>
      <h1>${quoted(words.product)} is not available here</h1>
      <p class="lead">${words.reason === '' ? 'The company does not allow this AI service.' : quoted(words.reason)}</p>
      ${onward(words, url, moves)} ${blockFacts(page)} ${ask(words)}
    </article>`,
    foot: html`<p>
      This page comes from the network of ${quoted(oneLine(settings.company.name, limits.name))}, not from
      ${quoted(about.target.host)}. Nothing was sent to ${quoted(about.target.host)}.
    </p>`,
    onward: moves ? { seconds: ONWARD_SECONDS, url } : null,
    framed: true,
  });
}

function onward({ assistant, details }: Words, url: string | null, moves: boolean): Html | null {
  if (assistant === null) return null;
  const name = quoted(assistant.name);
  const heading = html`<h2 id="onward">Use ${name} instead</h2>`;
  if (url === null)
    return html`<section class="onward" aria-labelledby="onward">
      ${heading}
      <p>It is the approved assistant for this.</p>
    </section>`;
  const button = html`<p>
    <a class="button" href="${url}"><span>Continue to ${name}</span>${arrowIcon}</a>
  </p>`;
  const timed = html`<div class="wait" aria-hidden="true"><span></span></div>
    <p class="soft small timed">
      You will be taken there in ${ONWARD_SECONDS} seconds. <a href="${details}">Stay and read the details</a>
    </p>`;
  return html`<section class="onward" aria-labelledby="onward">
    ${heading}
    <p class="soft">The approved assistant for this kind of work.</p>
    ${button} ${moves ? timed : null}
  </section>`;
}

function blockFacts({ denial, about, settings, words }: PageFacts): Html {
  const { since } = denial;
  const from =
    since === null ? null : html`<time datetime="${isoTime(since)}">${longDate(since, settings.timeZone)}</time>`;
  return factList([
    ['Service', denial.service === null ? null : words.what],
    ['Address', about.target.host],
    ['Blocked since', from],
    ['Rule', html`<code>${words.rule}</code>`],
    ['This request', html`<time datetime="${isoTime(about.at)}">${dateAndTime(about.at)}</time>`],
    ['Reference', html`<a href="${words.details}"><code>${words.id}</code></a>`],
  ]);
}

function ask({ ask: where, id }: Words): Html | null {
  if (where === null) return null;
  const link = where.href?.startsWith('http') === true;
  return html`<section class="ask" aria-labelledby="ask">
    <h2 id="ask">Do you need it for your work?</h2>
    <p class="soft">
      ${link ? html`<a href="${where.href}">Request access</a>` : html`Ask ${linkOr(where.text, where.href)}`} and give
      the reference <code>${id}</code>.
    </p>
  </section>`;
}
