/** Building blocks for the denials in the answer table. */
import type { Answer, Denial, RequestFacts } from '../flow.ts';
import { dialectOf } from './dialect.ts';
import { commonHeaders, jsonAnswer } from './headers.ts';
import { policyKeysOf, reasonPhraseOf } from './message.ts';
import type { Words } from './message.ts';
import type { About, AnswerSettings } from './settings.ts';
import { shapeOf } from './shapes.ts';
import type { Shape } from './shapes.ts';

/** A denied request with everything its answer may need. */
export interface Asking {
  readonly denial: Denial;
  readonly about: About;
  readonly facts: RequestFacts;
  readonly settings: AnswerSettings;
  readonly words: Words;
  readonly message: string;
}

type Denied = Pick<Asking, 'denial' | 'about' | 'settings' | 'words' | 'message'>;

export function denialHeaders({ denial, about, settings, message }: Omit<Denied, 'words'>): Record<string, string> {
  const { id, at } = about;
  const common = commonHeaders({ viaName: settings.viaName, id, at, code: 'policy_denied', details: message });
  // W3C Clear Site Data: an app served by its service worker never requests its page, so the worker must be removed.
  return denial.clearSiteData === true ? { ...common, 'Clear-Site-Data': '"cache", "storage"' } : common;
}

/** The head of a denial. The SDKs of OpenAI, Anthropic and others obey `x-should-retry`; browsers ignore it. */
export function head(denied: Denied, name: string, status: number): Omit<Answer, 'body'> {
  const reason = reasonPhraseOf(denied.words);
  return { name, status, reason, headers: { ...denialHeaders(denied), 'x-should-retry': 'false' } };
}

/** The denial in the request's API dialect. */
export function wireAnswer(
  asking: Asking,
  name: string,
  status: number,
  more: Readonly<Record<string, string>>,
): Answer {
  const shape = shapeOf(dialectOf(asking.facts, asking.denial.service));
  return shapedAnswer({ ...asking, shape, status, name, more });
}

interface Shaped extends Denied {
  readonly shape: Shape;
  readonly status: number;
  readonly name: string;
  readonly more: Readonly<Record<string, string>>;
}

/** The denial as JSON, in the shape of an API's errors. */
export function shapedAnswer({ shape, status, name, more, ...denied }: Shaped): Answer {
  const policy = policyKeysOf(denied.denial, denied.words);
  const facts = { message: denied.message, id: denied.about.id, policy };
  const plain = head(denied, name, status);
  return jsonAnswer({ ...plain, headers: { ...plain.headers, ...shape.headers?.(facts), ...more } }, shape.body(facts));
}

/** A single end-of-stream frame of the Connect protocol: flag 2, length, JSON. */
export function connectStreamAnswer(asking: Asking, name: string, json: boolean): Answer {
  const error = Buffer.from(JSON.stringify({ error: { code: 'permission_denied', message: asking.message } }));
  const frame = Buffer.alloc(5);
  frame.writeUInt8(2, 0);
  frame.writeUInt32BE(error.length, 1);
  const type = json ? 'application/connect+json' : 'application/connect+proto';
  const plain = head(asking, name, 200);
  return { ...plain, headers: { ...plain.headers, 'Content-Type': type }, body: Buffer.concat([frame, error]) };
}
