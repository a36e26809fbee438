/**
 * The answer table: maps client classes to answers; the first match wins. A class is recognised by the request itself,
 * never by the vendor alone; each row says why its clients display its answer.
 */
import type { Answer, Denial, RequestFacts } from '../flow.ts';
import { asksForFlags, flagsHere, isClaude, isClaudeStart } from './claude.ts';
import { isCodex, listAsked, workspaceAsked } from './codex.ts';
import { isPreflight, originOf, preflightHeaders, readableBy } from './cors.ts';
import { connectStreamAnswer, denialHeaders, head, wireAnswer } from './denied.ts';
import type { Asking } from './denied.ts';
import { dialectOf, headerOf } from './dialect.ts';
import type { Dialect } from './dialect.ts';
import { emptyAnswer, htmlAnswer, jsonAnswer, textAnswer } from './headers.ts';
import { messageOf, wordsFor } from './message.ts';
import { pageVaries, redirectPage } from './page.ts';
import { DNS_JSON, DNS_MESSAGE, dohAsked, httpdnsAsked, refusedJson, refusedMessage, sameServer } from './resolvers.ts';
import type { About, AnswerSettings } from './settings.ts';
import { shapeOf } from './shapes.ts';
import type { Make, AnswerTemplates } from './answer-template.ts';
import { grpcMessage } from './text.ts';

interface Row {
  readonly name: string;
  readonly is: (facts: RequestFacts) => boolean;
  readonly why: string;
  readonly answer: (asking: Asking, name: string) => Answer;
  /** Everything in the request, besides its target, that the answer depends on. Absent: the answer is not cached. */
  readonly varies?: (facts: RequestFacts, denial: Denial) => string;
}

const rows: readonly Row[] = [
  {
    name: 'grpc',
    is: (facts) => facts.httpVersion === '2.0' && /^application\/grpc(?:[+;]|$)/.test(contentType(facts)),
    why: 'A 403 loses the text, and a header block followed by an empty DATA frame counts as INTERNAL, so trailers-only.',
    answer: (asking, name) =>
      emptyAnswer({
        ...head(asking, name, 200),
        headers: {
          ...denialHeaders(asking),
          'Content-Type': 'application/grpc',
          'grpc-status': '7',
          'grpc-message': grpcMessage(asking.message),
        },
      }),
  },
  {
    name: 'grpc-web',
    is: (facts) => grpcWeb.test(contentType(facts)),
    why: 'It reads the status from the response head when there is no body; in a browser, only what CORS exposes.',
    answer: (asking, name) =>
      emptyAnswer({
        ...head(asking, name, 200),
        headers: {
          ...denialHeaders(asking),
          ...readableBy(asking.facts),
          'Access-Control-Expose-Headers': 'grpc-status, grpc-message',
          'Content-Type': grpcWeb.exec(contentType(asking.facts))?.[0] ?? '',
          'grpc-status': '7',
          'grpc-message': grpcMessage(asking.message),
        },
      }),
  },
  {
    name: 'connect-stream',
    is: (facts) => /^application\/connect\+(?:proto|json)(?:;|$)/.test(contentType(facts)),
    why: 'The Connect protocol reads the error of a stream from its last frame only, and the status must be 200.',
    answer: (asking, name) => connectStreamAnswer(asking, name, contentType(asking.facts).includes('json')),
  },
  {
    name: 'doh',
    is: (facts) => dohAsked(facts) !== null,
    why: 'A resolver reports its error inside its answer; to the client, any other status means that the server is down.',
    answer(asking, name) {
      const type = dohAsked(asking.facts) ?? DNS_MESSAGE;
      const json = jsonAnswer(head(asking, name, 200), refusedJson(asking.message));
      const body = type === DNS_JSON ? json.body : refusedMessage(asking.facts, asking.message);
      return { ...json, headers: { ...json.headers, ...readableBy(asking.facts), 'Content-Type': type }, body };
    },
  },
  {
    name: 'codex-websocket',
    is: (facts) => isWebSocket(facts) && isCodex(facts),
    why: 'Codex prints the body of a refused upgrade as it is and stops; after anything else it tries again.',
    answer: (asking, name) => textAnswer(head(asking, name, 400), asking.message),
  },
  {
    name: 'codex-workspace',
    is: (facts) => workspaceAsked(facts) !== null,
    why: 'Signed in with ChatGPT, Codex asks seventeen times where its workspace is and reports that failure; told that it is here, it asks for its model and shows that denial.',
    answer: (asking, name) =>
      jsonAnswer(head(asking, name, 200), {
        accounts: [
          {
            id: workspaceAsked(asking.facts),
            workspace_backend_origin: originAsked(asking.about),
            account_routing_override: 'us',
          },
        ],
      }),
  },
  {
    name: 'codex-list',
    is: (facts) => listAsked(facts) !== null,
    why: 'Codex asks for each of these lists three or four times, prints the JSON of every refusal above the message that counts, and adds the list to its own: an empty list ends it at once.',
    answer: (asking, name) => jsonAnswer(head(asking, name, 200), listAsked(asking.facts) ?? {}),
  },
  {
    name: 'preflight',
    is: (facts) => isPreflight(facts) && originOf(facts) !== null,
    why: 'A preflight that fails hides the denial from the page; the request that follows is denied readably.',
    answer: (asking, name) =>
      emptyAnswer({
        ...head(asking, name, 204),
        headers: { ...denialHeaders(asking), ...preflightHeaders(asking.facts) },
      }),
  },
  {
    name: 'page',
    is: (facts) => facts.navigation,
    why: 'A person reads it. No redirect: it would show no reason, and take a posted body along.',
    answer: (asking, name) =>
      htmlAnswer({ ...head(asking, name, 403), headers: denialHeaders(asking) }, redirectPage(asking)),
    varies: pageVaries,
  },
  {
    name: 'subresource',
    is: (facts) =>
      /^(?:image|script|style|font|audio|video|track|manifest|\w*worker)$/.test(headerOf(facts, 'sec-fetch-dest')),
    why: 'Nobody reads the body of an image, a style sheet or a script.',
    answer: (asking, name) => ({ ...textAnswer(head(asking, name, 403), ''), body: Buffer.alloc(0) }),
  },
  {
    name: 'browser',
    is: (facts) => headerOf(facts, 'origin') !== '' || headerOf(facts, 'sec-fetch-site') !== '',
    why: 'With CORS fields the script of the page can read the denial, and an EventSource stops reconnecting.',
    answer: (asking, name) => wireAnswer(asking, name, 403, readableBy(asking.facts)),
  },
  {
    name: 'git',
    is: (facts) => headerOf(facts, 'user-agent').startsWith('git/'),
    why: 'git shows plain text, line by line, behind "remote:".',
    answer: (asking, name) => textAnswer(head(asking, name, 403), asking.message),
  },
  {
    name: 'go-modules',
    is: (facts) =>
      headerOf(facts, 'user-agent').startsWith('Go-http-client/') &&
      /\/@(?:v\/|latest(?:\?|$))|[?&]go-get=1(?:&|$)/.test(facts.path),
    why: 'The go command prints the body of an error only if it is plain text.',
    answer: (asking, name) => textAnswer(head(asking, name, 403), asking.message),
  },
  {
    name: 'connect-rpc',
    is: (facts) => headerOf(facts, 'connect-protocol-version') !== '',
    why: 'A unary call of the Connect protocol recognises its error by this code.',
    answer: (asking, name) =>
      jsonAnswer(head(asking, name, 403), { code: 'permission_denied', message: asking.message }),
  },
  {
    name: 'httpdns',
    is: httpdnsAsked,
    why: 'If refused, or told of no server, it asks the next of eight; told that its server is the one it just asked, it asks that one for the name, is refused, and stops.',
    answer: (asking, name) => jsonAnswer(head(asking, name, 200), sameServer(asking.about.target)),
  },
  {
    name: 'claude-flags',
    is: asksForFlags,
    why: 'Told that its telemetry goes nowhere, Claude Code sends none, and does not ask for the directory of servers.',
    answer: (asking, name) => jsonAnswer(head(asking, name, 200), flagsHere),
  },
  {
    name: 'claude-start',
    is: isClaudeStart,
    why: 'Claude Code asks again for settings that are refused, but only once for settings that do not exist; it shows neither.',
    answer: (asking, name) => wireAnswer(asking, name, 404, {}),
  },
  {
    name: 'wire',
    is: () => true,
    why: 'The error of its own API, with the status that stops retries: shown at once, no second try. Streams too: every SDK looks at the status first.',
    answer: (asking) => {
      const dialect = dialectOf(asking.facts, asking.denial.service);
      return wireAnswer(
        asking,
        dialect === 'none' ? 'json' : dialect,
        statusFor(asking.facts, dialect, asking.denial.service),
        {},
      );
    },
    varies(facts, denial) {
      const dialect = dialectOf(facts, denial.service);
      return `${dialect} ${statusFor(facts, dialect, denial.service)}`;
    },
  },
];

/** The table for the docs and tests. */
export const answerTable: readonly { readonly name: string; readonly why: string }[] = rows;

function isWebSocket(facts: RequestFacts): boolean {
  return headerOf(facts, 'upgrade').toLowerCase() === 'websocket';
}

/** Whether it can be accepted (RFC 6455, section 4.2.1); the version does not matter to a connection that is closed. */
export function isWebSocketHandshake(facts: RequestFacts): boolean {
  return isWebSocket(facts) && facts.method === 'GET' && headerOf(facts, 'sec-websocket-key') !== '';
}

/** The denial in the form that the client of this request displays. */
export function answerFor(
  denial: Denial,
  about: About,
  facts: RequestFacts,
  settings: AnswerSettings,
  templates: AnswerTemplates,
): Answer {
  const row = rows.find(({ is }) => is(facts));
  if (row === undefined) throw new Error('The last row of the answer table matches everything.');
  const make: Make = (one, using) => {
    const words = wordsFor(denial, one, using);
    return row.answer({ denial, about: one, facts, settings: using, words, message: messageOf(words) }, row.name);
  };
  if (row.varies === undefined) return make(about, settings);
  return templates.answer(`${row.name} ${row.varies(facts, denial)}`, denial, about, make);
}

const grpcWeb = /^application\/grpc-web(?:-text)?(?:\+(?:proto|json|thrift))?(?=;|$)/;

/**
 * Two programs speak many dialects and treat a status the same way in all of them. Claude Code takes a 400 from a
 * vendor other than Anthropic for an unsupported feature, and retries six to nine times with fewer features; it takes a
 * 403 from a cloud for expired credentials, or retries for a minute. Codex sends a request six times on 403.
 */
function statusFor(facts: RequestFacts, dialect: Dialect, service: Denial['service']): number {
  const atHome = service?.vendor === 'anthropic' && service.wire === 'anthropic' && dialect === 'anthropic';
  if (isClaude(facts) && !atHome) return 451;
  return isCodex(facts) ? 400 : shapeOf(dialect).status;
}

function originAsked({ target }: About): string {
  const host = target.kind === 'ipv6' ? `[${target.host}]` : target.host;
  return `https://${host}${target.port === 443 ? '' : `:${target.port}`}`;
}

function contentType(facts: RequestFacts): string {
  return headerOf(facts, 'content-type').toLowerCase();
}
