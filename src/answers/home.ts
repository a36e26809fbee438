/** The home page: what this proxy is, and how to use it from each system. */
import { html, quoted } from './html.ts';
import type { Html } from './html.ts';
import { arrowIcon, contactLine, factList, goodIcon, haltIcon, layout } from './layout.ts';
import type { Page } from './layout.ts';
import { webUrl } from './links.ts';
import { limits } from './message.ts';
import { setUpHelp } from './set-up.ts';
import type { Company } from './settings.ts';
import { dateAndTime, oneLine } from './text.ts';

/** One of the latest blocks of the machine that looks at the page. */
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
  /** SHA-256, as `openssl x509 -fingerprint` writes it; null where there is no CA. */
  readonly caFingerprint: string | null;
  readonly assistantUrl: string | null;
  readonly version: string;
  /** `loadedAt` in epoch milliseconds. */
  readonly policy: { readonly rules: number; readonly hash: string; readonly loadedAt: number };
  readonly adminUrl: string | null;
  /** The newest first. */
  readonly blocks: readonly OwnBlock[];
  /** Whether a program on the machine that looks at the page has accepted the certificate; null: not known. */
  readonly trusted: boolean | null;
}

export function homePage(model: HomeModel): Page {
  const { company, policy, version, adminUrl } = model;
  const name = oneLine(company.name, 80);
  return layout({
    title: `The web proxy of ${name}`,
    company,
    room: 'Web proxy',
    wide: true,
    content: html`<article class="card">
        <p class="badge good">${goodIcon}Running</p>
        <h1>The web proxy of ${quoted(name)}</h1>
        <p class="lead">
          It lets approved AI services through untouched, and says why when one is not allowed. Allowed traffic is not
          decrypted unless a rule says that it must be looked into.
        </p>
        ${assistantButton(model.assistantUrl)}
        ${factList([
          ['Proxy', html`<code>${model.proxyAddress}</code>`],
          ['Automatic set-up', html`<a href="${model.pacUrl}">${model.pacUrl}</a>`],
          ['Policy', rulesLoaded(policy)],
          ['Version', version],
          ['Administration', adminUrl === null ? null : html`<a href="${adminUrl}">${adminUrl}</a>`],
        ])}
      </article>
      ${ownBlocks(model.blocks)} ${certificate(model)} ${setUpHelp(model)}`,
    foot: contactLine(company),
  });
}

function assistantButton(assistantUrl: string | null): Html | null {
  const url = assistantUrl === null ? null : webUrl(assistantUrl);
  return url === null
    ? null
    : html`<p>
        <a class="button" href="${url}"><span>To the approved assistant</span>${arrowIcon}</a>
      </p>`;
}

function ownBlocks(blocks: readonly OwnBlock[]): Html | null {
  if (blocks.length === 0) return null;
  return html`<section class="card" aria-labelledby="blocks">
    <h2 id="blocks">What was blocked on this machine</h2>
    <p class="soft">Each line leads to the details, and only this machine is shown them.</p>
    <ul>
      ${blocks.map(
        ({ id, at, host, product, rule }) =>
          html`<li>
            <a href="/blocked/${id}">${quoted(oneLine(product ?? host, limits.name))}</a>, ${dateAndTime(at)}, rule
            <code>${oneLine(rule, limits.rule)}</code>
          </li> `,
      )}
    </ul>
  </section>`;
}

function rulesLoaded({ rules, hash, loadedAt }: HomeModel['policy']): Html {
  return html`${rules} ${rules === 1 ? 'rule' : 'rules'}, loaded ${dateAndTime(loadedAt)}, <code>${hash}</code>`;
}

function trustLine(trusted: boolean | null): Html {
  if (trusted === null)
    return html`<p class="small soft">
      Whether this machine trusts it shows when something is blocked on it. Look here again after that.
    </p>`;
  return trusted
    ? html`<p class="badge good">${goodIcon}A program on this machine has accepted it</p>`
    : html`<p class="badge halt">
        ${haltIcon}A program on this machine has refused it: it is still to be installed there
      </p>`;
}

function certificate({ caFingerprint, caCrtUrl, caPemUrl, trusted }: HomeModel): Html {
  if (caFingerprint === null)
    return html`<section class="card" aria-labelledby="certificate">
      <h2 id="certificate">Certificate</h2>
      <p>This proxy has no certificate authority: what is blocked is refused without a page that says why.</p>
    </section>`;
  return html`<section class="card" aria-labelledby="certificate">
    <h2 id="certificate">1. Trust the certificate</h2>
    ${trustLine(trusted)}
    <p class="soft">
      It lets the proxy answer in place of a blocked service. Without it you see a connection error in place of the
      reason. Compare the fingerprint with the one your IT department gives out.
    </p>
    <p class="row">
      <a class="button" href="${caCrtUrl}">Download for Windows, macOS, phones</a>
      <a href="${caPemUrl}">Download for Linux and tools (PEM)</a>
    </p>
    <p class="small soft">SHA-256 fingerprint</p>
    <pre class="wrap" role="group" tabindex="0" aria-label="SHA-256 fingerprint"><code>${caFingerprint}</code></pre>
  </section>`;
}
