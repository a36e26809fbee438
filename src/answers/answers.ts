/**
 * What a denial or a failure looks like for each kind of client. Pure: the same request, denial and time give the same
 * bytes. The writer adds length and connection, and leaves the body out where there may be none.
 */
import type { ErrorCode } from '../errors.ts';
import type { Answer, Denial } from '../flow.ts';
import { answerFor, isWebSocket } from './classes.ts';
import { denialHeaders, head, shapedAnswer } from './denied.ts';
import { failureAnswer } from './failure.ts';
import { htmlAnswer } from './headers.ts';
import { closeReasonOf, messageOf, wordsFor } from './message.ts';
import { mayRedirect, assistantUrl, redirectPage } from './page.ts';
import type { About, AnswerSettings, Failed } from './settings.ts';
import { shapeOf } from './shapes.ts';
import { createAnswerTemplates } from './answer-template.ts';
import type { Serialize } from './answer-template.ts';

/** RFC 6455, section 7.4.1: 1008 is a policy that was violated. The reason has at most 123 bytes of UTF-8. */
export interface WebSocketClose {
  readonly code: 1008;
  readonly reason: string;
  /** Of the 101 that comes before it. */
  readonly headers: Answer['headers'];
}

/** How an upgrade is turned away: by an answer, or by 101 and a close frame, which is what scripts can read. */
export type UpgradeDenied =
  { readonly kind: 'answer'; readonly answer: Answer } | ({ readonly kind: 'close' } & WebSocketClose);

export interface Answers {
  /** A readable request. */
  readonly denied: (denial: Denial, about: About) => Answer;
  /** A CONNECT, where nothing inside can be answered: always 403 (RFC 9110, section 9.3.6). */
  readonly connectDenied: (denial: Denial, about: About) => Answer;
  /** A navigation, at once; {@link Answers.denied} for all that may not be redirected. */
  readonly redirected: (denial: Denial, about: About) => Answer;
  /** A request to switch protocols. */
  readonly upgradeDenied: (denial: Denial, about: About) => UpgradeDenied;
  /** What a WebSocket is closed with. */
  readonly websocketClose: (denial: Denial, about: About) => WebSocketClose;
  readonly failed: (code: ErrorCode, about: Failed) => Answer;
}

export function createAnswers(settings: AnswerSettings, serialize: Serialize): Answers {
  const templates = createAnswerTemplates(settings, serialize);
  const answers: Answers = {
    denied: (denial, about) =>
      about.facts === null
        ? answers.connectDenied(denial, about)
        : answerFor(denial, about, about.facts, settings, templates),
    connectDenied: (denial, about) =>
      templates.answer('connect', denial, about, (one, using) => connectAnswer(denial, one, using)),
    redirected: (denial, about) => redirectAnswer(denial, about, settings) ?? answers.denied(denial, about),
    upgradeDenied(denial, about) {
      const answer = answers.denied(denial, about);
      const refused = answer.name === 'codex-websocket' || about.facts === null || !isWebSocket(about.facts);
      return refused ? { kind: 'answer', answer } : { kind: 'close', ...answers.websocketClose(denial, about) };
    },
    websocketClose(denial, about) {
      const words = wordsFor(denial, about, settings);
      const { headers } = head({ denial, about, settings, words, message: messageOf(words) }, 'websocket', 101);
      return { code: 1008, reason: closeReasonOf(words), headers };
    },
    failed: (code, about) => failureAnswer(code, about, settings),
  };
  return answers;
}

/** Nothing is known of the client, so the shape is the catalogue's. Some libraries hand it on as the origin's answer. */
function connectAnswer(denial: Denial, about: About, settings: AnswerSettings): Answer {
  const words = wordsFor(denial, about, settings);
  const shape = shapeOf(denial.service?.wire ?? 'none');
  const denied = { denial, about, settings, words, message: messageOf(words) };
  return shapedAnswer({ ...denied, shape, status: 403, name: 'connect', more: {} });
}

/**
 * 303: whatever the method was, the assistant is asked by GET, and nothing remembers it. Null where the request is not
 * a person's who goes to a page by address or link, or where there is nothing to go to.
 */
function redirectAnswer(denial: Denial, about: About, settings: AnswerSettings): Answer | null {
  const { facts } = about;
  if (facts === null || !facts.navigation || (facts.method !== 'GET' && facts.method !== 'HEAD')) return null;
  const words = wordsFor(denial, about, settings);
  const url = assistantUrl({ denial, about, settings, words });
  if (url === null || !mayRedirect({ about, facts, words })) return null;
  const headers = { ...denialHeaders({ denial, about, settings, message: messageOf(words) }), Location: url };
  const head = { name: 'redirect', status: 303, reason: 'See Other', headers };
  // The address in the field takes the person on, and at once.
  return htmlAnswer(head, { ...redirectPage({ denial, about, facts, settings, words }), refresh: null });
}
