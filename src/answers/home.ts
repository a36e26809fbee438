/** The home page: what this proxy is, and how to set it up on each system. */
import { html, quoted } from './html.ts';
import type { Html } from './html.ts';
import { arrowIcon, contactLine, factList, goodIcon, haltIcon, layout } from './layout.ts';
import type { Page } from './layout.ts';
import { webUrl } from './links.ts';
import { homeWords } from './home-words.ts';
import type { HomeWords } from './home-words.ts';
import { limits } from './message.ts';
import { phrasesFor } from './phrases.ts';
import type { Language, Phrases } from './phrases.ts';
import { setUpHelp } from './set-up.ts';
import type { Company } from './settings.ts';
import { dateAndTime, oneLine } from './text.ts';

/** A recent block of the machine that views the page. */
export interface OwnBlock {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly host: string;
  readonly product: string | null;
  readonly rule: string;
}

export interface HomeModel {
  readonly company: Company;
  /** Host and port. */
  readonly proxyAddress: string;
  readonly pacUrl: string;
  readonly wpadUrl: string;
  readonly caPemUrl: string;
  readonly caCrtUrl: string;
  /** SHA-256 in the format of `openssl x509 -fingerprint`; null if there is no CA. */
  readonly caFingerprint: string | null;
  readonly assistantUrl: string | null;
  readonly version: string;
  /** `loadedAt` in epoch milliseconds. */
  readonly policy: { readonly rules: number; readonly hash: string; readonly loadedAt: number };
  /** Number of exceptions in force. */
  readonly exceptions: number;
  /** Pauses in force: the vendor's name, or null for all vendors; `until` is in epoch milliseconds. */
  readonly pauses: readonly { readonly vendor: string | null; readonly until: number }[];
  readonly adminUrl: string | null;
  /** Newest first. */
  readonly blocks: readonly OwnBlock[];
  /** Whether a program on the machine that views the page has accepted our certificate; null: unknown. */
  readonly trusted: boolean | null;
  /** Absent: English. */
  readonly phrases?: Phrases;
}

export function homePage(model: HomeModel): Page {
  const { company, policy, version, adminUrl, phrases = phrasesFor('') } = model;
  const { language } = phrases;
  const words = homeWords(language);
  const name = oneLine(company.name, 80);
  const loaded = words.loaded(policy.rules, dateAndTime(policy.loadedAt, language), html`<code>${policy.hash}</code>`);
  return layout({
    phrases,
    title: words.title(name),
    company,
    room: words.room,
    wide: true,
    content: html`<article class="card">
        <p class="badge good">${goodIcon}${words.running}</p>
        <h1>${words.heading(quoted(name))}</h1>
        <p class="lead">${words.lead}</p>
        ${assistantButton(model.assistantUrl, words)}
        ${factList([
          [words.proxy, html`<code>${model.proxyAddress}</code>`],
          [words.automatic, html`<a href="${model.pacUrl}">${model.pacUrl}</a>`],
          [words.policy, loaded],
          [words.exceptions, model.exceptions === 0 ? null : words.inForce(model.exceptions)],
          [words.version, version],
          [words.administration, adminUrl === null ? null : html`<a href="${adminUrl}">${adminUrl}</a>`],
        ])}
      </article>
      ${paused(model.pauses, words, language)} ${ownBlocks(model.blocks, words, language)} ${certificate(model, words)}
      ${setUpHelp(model, language)}`,
    foot: contactLine(company, phrases),
  });
}

function assistantButton(assistantUrl: string | null, words: HomeWords): Html | null {
  const url = assistantUrl === null ? null : webUrl(assistantUrl);
  return url === null
    ? null
    : html`<p>
        <a class="button" href="${url}"><span>${words.toAssistant}</span>${arrowIcon}</a>
      </p>`;
}

function paused(pauses: HomeModel['pauses'], words: HomeWords, language: Language): Html | null {
  if (pauses.length === 0) return null;
  return html`<section class="card" aria-labelledby="paused">
    <h2 id="paused">${words.paused}</h2>
    <p class="soft">${words.pausedHint}</p>
    <ul>
      ${pauses.map(({ vendor, until }) => {
        const whose = vendor === null ? html`${words.everyVendor}` : quoted(oneLine(vendor, limits.name));
        return html`<li>${words.pause(whose, dateAndTime(until, language))}</li> `;
      })}
    </ul>
  </section>`;
}

function ownBlocks(blocks: readonly OwnBlock[], words: HomeWords, language: Language): Html | null {
  if (blocks.length === 0) return null;
  return html`<section class="card" aria-labelledby="blocks">
    <h2 id="blocks">${words.blocks}</h2>
    <p class="soft">${words.blocksHint}</p>
    <ul>
      ${blocks.map(({ id, at, host, product, rule }) => {
        const link = html`<a href="/blocked/${id}">${quoted(oneLine(product ?? host, limits.name))}</a>`;
        const ruleId = html`<code>${oneLine(rule, limits.rule)}</code>`;
        return html`<li>${words.block(link, dateAndTime(at, language), ruleId)}</li> `;
      })}
    </ul>
  </section>`;
}

function trustLine(trusted: boolean | null, words: HomeWords): Html {
  if (trusted === null) return html`<p class="small soft">${words.trustUnknown}</p>`;
  return trusted
    ? html`<p class="badge good">${goodIcon}${words.trusted}</p>`
    : html`<p class="badge halt">${haltIcon}${words.refused}</p>`;
}

function certificate({ caFingerprint, caCrtUrl, caPemUrl, trusted }: HomeModel, words: HomeWords): Html {
  if (caFingerprint === null)
    return html`<section class="card" aria-labelledby="certificate">
      <h2 id="certificate">${words.certificate}</h2>
      <p>${words.noAuthority}</p>
    </section>`;
  return html`<section class="card" aria-labelledby="certificate">
    <h2 id="certificate">${words.trustIt}</h2>
    ${trustLine(trusted, words)}
    <p class="soft">${words.why}</p>
    <p class="row">
      <a class="button" href="${caCrtUrl}">${words.download}</a>
      <a href="${caPemUrl}">${words.downloadPem}</a>
    </p>
    <p class="small soft">${words.fingerprint}</p>
    <pre class="wrap" role="group" tabindex="0" aria-label="${words.fingerprint}"><code>${caFingerprint}</code></pre>
  </section>`;
}
