/**
 * Builds the answers to denials and failures for each kind of client. Pure: the same request, denial and time give the
 * same bytes. The writer adds Content-Length and Connection, and omits the body where HTTP forbids one.
 */
import type { ErrorCode } from '../errors.ts';
import type { Answer, Denial } from '../flow.ts';
import { answerFor, isWebSocketHandshake } from './classes.ts';
import { denialHeaders, head, shapedAnswer } from './denied.ts';
import { failureAnswer } from './failure.ts';
import { htmlAnswer } from './headers.ts';
import { closeReasonOf, messageOf, wordsFor } from './message.ts';
import { mayRedirect, assistantUrl, redirectPage } from './page.ts';
import type { About, AnswerSettings, Failed } from './settings.ts';
import { shapeOf } from './shapes.ts';
import { engineIoMessages } from './engine-io.ts';
import { createAnswerTemplates } from './answer-template.ts';
import type { Serialize } from './answer-template.ts';

/** RFC 6455, section 7.4.1: 1008 means policy violation. The reason has at most 123 bytes of UTF-8. */
export interface WebSocketClose {
  readonly code: 1008;
  /** Text messages before the close frame, for protocols whose clients do not read its reason. */
  readonly messages: readonly string[];
  readonly reason: string;
  /** Header fields of the 101 response before it. */
  readonly headers: Answer['headers'];
}

/** How an upgrade is denied: by an HTTP answer, or by 101 and a close frame, which scripts can read. */
export type UpgradeDenied =
  { readonly kind: 'answer'; readonly answer: Answer } | ({ readonly kind: 'close' } & WebSocketClose);

export interface Answers {
  /** For a readable request. */
  readonly denied: (denial: Denial, about: About) => Answer;
  /** For a CONNECT whose tunnel cannot be answered from inside: always 403 (RFC 9110, section 9.3.6). */
  readonly connectDenied: (denial: Denial, about: About) => Answer;
  /** Redirects a navigation to the assistant; falls back to {@link Answers.denied} for what may not be redirected. */
  readonly redirected: (denial: Denial, about: About) => Answer;
  /** For a request to switch protocols. */
  readonly upgradeDenied: (denial: Denial, about: About) => UpgradeDenied;
  /** The close frame that denies a WebSocket. */
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
      const refused = answer.name === 'codex-websocket' || about.facts === null || !isWebSocketHandshake(about.facts);
      return refused ? { kind: 'answer', answer } : { kind: 'close', ...answers.websocketClose(denial, about) };
    },
    websocketClose(denial, about) {
      const words = wordsFor(denial, about, settings);
      const message = messageOf(words);
      const { headers } = head({ denial, about, settings, words, message }, 'websocket', 101);
      const messages = about.facts === null ? [] : engineIoMessages(about.facts, about.id, message);
      return { code: 1008, messages, reason: closeReasonOf(words), headers };
    },
    failed: (code, about) => failureAnswer(code, about, settings),
  };
  return answers;
}

/**
 * The client is unknown at a CONNECT, so the shape is the catalogue's for the service: some libraries pass the body on
 * as if the origin had sent it.
 */
function connectAnswer(denial: Denial, about: About, settings: AnswerSettings): Answer {
  const words = wordsFor(denial, about, settings);
  const shape = shapeOf(denial.service?.wire ?? 'none');
  const denied = { denial, about, settings, words, message: messageOf(words) };
  return shapedAnswer({ ...denied, shape, status: 403, name: 'connect', more: {} });
}

/**
 * 303: the browser GETs the assistant whatever the method was, and does not cache the redirect. Null if the request is
 * not a GET or HEAD navigation, or {@link mayRedirect} forbids it.
 */
function redirectAnswer(denial: Denial, about: About, settings: AnswerSettings): Answer | null {
  const { facts } = about;
  if (facts === null || !facts.navigation || (facts.method !== 'GET' && facts.method !== 'HEAD')) return null;
  const words = wordsFor(denial, about, settings);
  const url = assistantUrl({ denial, about, settings, words });
  if (url === null || !mayRedirect({ about, facts, words })) return null;
  const headers = { ...denialHeaders({ denial, about, settings, message: messageOf(words) }), Location: url };
  const head = { name: 'redirect', status: 303, reason: 'See Other', headers };
  // Location redirects at once, so Refresh is not needed.
  return htmlAnswer(head, { ...redirectPage({ denial, about, facts, settings, words }), refresh: null });
}
