/** What a failure of the catalogue looks like: a page for a person, JSON for everything else. */
import { errors } from '../errors.ts';
import type { ErrorCode, Fault } from '../errors.ts';
import type { Answer } from '../flow.ts';
import { commonHeaders, htmlAnswer, jsonAnswer } from './headers.ts';
import { html } from './html.ts';
import { contactLine, factList, haltIcon, layout } from './layout.ts';
import type { Page } from './layout.ts';
import type { AnswerSettings, Failed } from './settings.ts';
import { dateAndTime } from './text.ts';

/** Who has to act, in words for the person who cannot. */
const advice: Readonly<Record<Fault, string>> = {
  client: 'The program that sent this request has to change it; trying again will not help.',
  policy: "The proxy's rules do not allow this; trying again will not help.",
  upstream: 'The problem is beyond the proxy. Try again later.',
  proxy: 'The problem is in the proxy. Try again later; if it persists, give its operators the reference.',
};

const heading: Readonly<Record<Fault, string>> = {
  client: 'This request cannot be handled',
  policy: 'This destination is not allowed',
  upstream: 'The site cannot be reached',
  proxy: 'The proxy could not do this',
};

/** Seconds after which a limit may well have room again, by status. */
const retryAfter: Readonly<Record<number, number>> = { 429: 60, 503: 5 };

/** Browsers show the realm, and know again by it what they were asked for (RFC 7617, section 2). */
function challenge(company: string): string {
  const plain = company.replaceAll(/[^ -~]|["\\]/g, '').trim();
  return `Basic realm="${plain === '' ? 'Web proxy' : `${plain} web proxy`}", charset="UTF-8"`;
}

export function failureAnswer(code: ErrorCode, failed: Failed, settings: AnswerSettings): Answer {
  const { status, fault, text } = errors[code];
  const { id, at, facts } = failed;
  const final = fault === 'client' || fault === 'policy';
  const headers = {
    ...commonHeaders({ viaName: settings.viaName, id, at, code, details: text }),
    ...(Object.hasOwn(retryAfter, status) && { 'Retry-After': String(retryAfter[status]) }),
    ...(status === 407 && { 'Proxy-Authenticate': challenge(settings.company.name) }),
  };
  const head = { status, reason: text.replace(/\.$/, ''), headers };
  if (facts?.navigation === true)
    return htmlAnswer({ ...head, name: 'error-page' }, failurePage(code, failed, settings));
  const message = `${text} Ref ${id}`;
  return jsonAnswer(
    { ...head, name: 'error', headers: final ? { ...headers, 'x-should-retry': 'false' } : headers },
    { message, error: { message, type: code, code, status }, type: 'error', detail: message, id },
  );
}

function failurePage(code: ErrorCode, { id, at, target }: Failed, { company }: AnswerSettings): Page {
  const { fault, text, status } = errors[code];
  return layout({
    title: `${heading[fault]}: ${text}`,
    company,
    room: 'Web proxy',
    content: html`<article class="card">
      <p class="badge${fault === 'policy' ? ' halt' : ''}">${haltIcon}Error ${status}</p>
      <h1>${heading[fault]}</h1>
      <p class="lead">${text}</p>
      <p class="soft">${advice[fault]}</p>
      ${factList([
        ['Address', target?.host ?? null],
        ['Error', html`<code>${code}</code>`],
        ['Time', dateAndTime(at)],
        ['Reference', html`<code>${id}</code>`],
      ])}
    </article>`,
    foot: contactLine(company),
    framed: true,
  });
}
