/** Pages of the pages port, except home: the assistant's stand-in, the details of a block, and what is not there. */
import type { Assistant } from '../flow.ts';
import { html, quoted } from './html.ts';
import type { Html } from './html.ts';
import { arrowIcon, contactLine, factList, goodIcon, haltIcon, layout, linkOr } from './layout.ts';
import type { Page } from './layout.ts';
import { contactHref, webUrl } from './links.ts';
import { limits } from './message.ts';
import type { Company } from './settings.ts';
import { dateAndTime, isoTime, oneLine } from './text.ts';

/** Where somebody on the assistant page came from. */
export type CameFrom =
  | { readonly kind: 'nowhere' }
  /** The signed context holds. `vendor` is its name for people, or null where the catalogue does not know it. */
  | { readonly kind: 'block'; readonly vendor: string | null; readonly id: string; readonly detailsUrl: string | null }
  /** There was a context, and it does not hold. */
  | { readonly kind: 'unverified'; readonly why: 'malformed' | 'forged' | 'expired' };

export interface AssistantModel {
  readonly company: Company;
  /** What the page stands in for. */
  readonly name: string;
  readonly from: CameFrom;
}

/** The built-in stand-in for the approved assistant. */
export function assistantPage({ company, name, from }: AssistantModel): Page {
  const shown = oneLine(name, limits.name);
  return layout({
    title: `${shown} — the approved assistant`,
    company,
    room: 'Approved assistant',
    content: html`<article class="card">
      <p class="badge good">${goodIcon}Approved for your work</p>
      <h1>Welcome to ${quoted(shown)}</h1>
      <p class="lead">This is where people arrive when the AI service they asked for is not allowed here.</p>
      ${arrival(from)}
      <p class="soft small">
        This page stands in for the assistant itself. To send people to the real one, set its address under
        <code>assistants</code> in the policy file.
      </p>
    </article>`,
    foot: contactLine(company),
  });
}

function arrival(from: CameFrom): Html | null {
  switch (from.kind) {
    case 'nowhere':
      return null;
    case 'block': {
      const id = html`<code>${oneLine(from.id, limits.name)}</code>`;
      return html`<section class="onward" aria-labelledby="from">
        <h2 id="from">You were on your way to ${quoted(oneLine(from.vendor ?? 'another AI service', limits.name))}</h2>
        <p>
          Company policy does not allow it, so nothing was sent there. What you wanted to do, you can do here.
          <span class="soft">
            Reference ${from.detailsUrl === null ? id : html`<a href="${from.detailsUrl}">${id}</a>`}.
          </span>
        </p>
      </section>`;
    }
    case 'unverified':
      return html`<section class="onward" aria-labelledby="from">
        <h2 id="from">We cannot tell where you came from</h2>
        <p>${doubts[from.why]} You can go on all the same: nothing here depends on it.</p>
      </section>`;
  }
}

const doubts = {
  malformed: 'The link that brought you here is not complete.',
  forged: 'The link that brought you here was not made by this proxy, or was changed on the way.',
  expired: 'The link that brought you here is an old one.',
};

/** One block, for the person it happened to. */
export interface BlockFacts {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly host: string;
  readonly vendor: string | null;
  readonly product: string | null;
  readonly rule: string;
  readonly reason: string;
  readonly assistant: Assistant | null;
  readonly link: string | null;
  readonly answer: string | null;
}

export interface BlockedModel {
  readonly company: Company;
  readonly block: BlockFacts;
}

export function blockedDetailsPage({ company, block }: BlockedModel): Page {
  const product = oneLine(block.product ?? block.host, limits.name);
  const url = block.assistant === null ? null : webUrl(block.assistant.url);
  const name = oneLine(block.assistant?.name ?? '', limits.name);
  const where = block.link ?? company.contact;
  return layout({
    title: `Blocked: ${product}, reference ${block.id}`,
    company,
    room: 'Details of a block',
    content: html`<article class="card">
      <p class="badge halt">${haltIcon}Blocked by company policy</p>
      <h1>${quoted(product)} was blocked</h1>
      <p class="lead">${quoted(oneLine(block.reason, limits.reason))}</p>
      ${factList([
        ['Service', block.product === null ? null : product],
        ['Vendor', block.vendor === null ? null : oneLine(block.vendor, limits.name)],
        ['Address', block.host],
        ['Rule', html`<code>${oneLine(block.rule, limits.rule)}</code>`],
        ['Time', html`<time datetime="${isoTime(block.at)}">${dateAndTime(block.at)}</time>`],
        ['Answered as', block.answer],
        ['Reference', html`<code>${block.id}</code>`],
        ['Ask', where === null ? null : linkOr(oneLine(where, limits.url), contactHref(where))],
      ])}
      ${
        url === null
          ? null
          : html`<p class="ask">
              <a class="button" href="${url}"><span>Continue to ${quoted(name)}</span>${arrowIcon}</a>
            </p>`
      }
    </article>`,
    foot: html`<p>Only the machine that was blocked can see this page.</p>`,
  });
}

/** Also for a block that is not known, or was somebody else's: the two must look the same. */
export function notFoundPage(company: Company | null = null): Page {
  return layout({
    title: 'There is nothing here',
    company,
    room: 'Page not found',
    content: html`<article class="card">
      <p class="badge">404</p>
      <h1>There is nothing here</h1>
      <p class="lead">The address is wrong, or what was here is gone.</p>
      <p class="soft">
        Details of a block are shown only to the machine that was blocked, and only as long as they are remembered.
      </p>
      <p><a href="/">To the home page of the proxy</a></p>
    </article>`,
    foot: contactLine(company),
  });
}
