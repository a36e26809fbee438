/** Answers for the failures in `errors.ts`: a page for a navigation, JSON for everything else. */
import { errors } from '../errors.ts';
import type { ErrorCode, Fault } from '../errors.ts';
import type { Answer } from '../flow.ts';
import { commonHeaders, htmlAnswer, jsonAnswer } from './headers.ts';
import { headerOf } from './dialect.ts';
import { zh } from './failure-words.ts';
import type { FailureWords } from './failure-words.ts';
import { html } from './html.ts';
import { contactLine, factList, haltIcon, layout } from './layout.ts';
import type { Page } from './layout.ts';
import { phrasesFor } from './phrases.ts';
import type { AnswerSettings, Failed } from './settings.ts';
import { dateAndTime } from './text.ts';

/** Advice for the person, by who is at fault. */
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

const en: FailureWords = {
  room: 'Web proxy',
  status: (status) => `Error ${status}`,
  error: 'Error',
  heading,
  advice,
  text: (code) => errors[code].text,
  setUpHelp: 'How to set it up:',
};

/** Seconds for Retry-After, by status: when there is likely to be room again. */
const retryAfter: Readonly<Record<number, number>> = { 429: 60, 503: 5 };

/** Browsers display the realm, and use it to recognise the credentials to send (RFC 7617, section 2). */
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
  const help = helpFor(code, settings);
  const message = `${text}${help === null ? '' : ` ${en.setUpHelp} ${help}`} Ref ${id}`;
  return jsonAnswer(
    { ...head, name: 'error', headers: final ? { ...headers, 'x-should-retry': 'false' } : headers },
    { message, error: { message, type: code, code, status }, type: 'error', detail: message, id },
  );
}

/** The address of the set-up help, for a client that uses the proxy port as if it were a website. */
function helpFor(code: ErrorCode, { pagesUrl }: AnswerSettings): string | null {
  return code === 'not_a_proxy_request' ? `${pagesUrl}/` : null;
}

function failurePage(code: ErrorCode, { id, at, target, facts }: Failed, settings: AnswerSettings): Page {
  const { fault, status } = errors[code];
  const { company } = settings;
  const phrases = phrasesFor(facts === null ? '' : headerOf(facts, 'accept-language'), settings.language);
  const words = phrases.language === 'zh' ? zh : en;
  const help = helpFor(code, settings);
  return layout({
    phrases,
    title: `${words.heading[fault]}: ${words.text(code)}`,
    company,
    room: words.room,
    content: html`<article class="card">
      <p class="badge${fault === 'policy' ? ' halt' : ''}">${haltIcon}${words.status(status)}</p>
      <h1>${words.heading[fault]}</h1>
      <p class="lead">${words.text(code)}</p>
      ${help === null ? null : html`<p>${words.setUpHelp} <a href="${help}">${help}</a></p>`}
      <p class="soft">${words.advice[fault]}</p>
      ${factList([
        [phrases.address, target?.host ?? null],
        [words.error, html`<code>${code}</code>`],
        [phrases.time, dateAndTime(at, phrases.language)],
        [phrases.reference, html`<code>${id}</code>`],
      ])}
    </article>`,
    foot: contactLine(company, phrases),
    framed: true,
  });
}
