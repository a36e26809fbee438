/**
 * What a denial looks like in each API dialect: the body that its SDKs read, and the status that ends its clients at
 * once. Never 401, 407, 429, 5xx or a redirect: clients retry those, log in again, or follow with their key; a 404 only
 * where it is known to end one.
 */
import type { Dialect } from './dialect.ts';
import { limits } from './message.ts';
import type { PolicyKeys } from './message.ts';
import { ascii } from './text.ts';

export interface ShapeFacts {
  readonly message: string;
  readonly id: string;
  readonly policy: PolicyKeys;
}

export interface Shape {
  readonly status: 400 | 403 | 404 | 451;
  readonly headers?: (facts: ShapeFacts) => Readonly<Record<string, string>>;
  readonly body: (facts: ShapeFacts) => object;
}

/** Our own code in every shape that has one. */
const CODE = 'blocked_by_policy';

/**
 * Fits all clients that were tried: the message first, for those who print what comes first, and a code that is a number,
 * as the AI SDK wants it of many.
 */
const universal = ({ message, policy }: ShapeFacts): object => ({
  message,
  error: { message, type: CODE, code: 403, status: 'PERMISSION_DENIED' },
  type: 'error',
  detail: message,
  policy,
});

const shapes: Readonly<Record<Dialect, Shape>> = {
  /** To a 403 some programs say that one must log in. */
  anthropic: {
    status: 400,
    body: ({ message, id, policy }) => ({
      type: 'error',
      error: { type: 'invalid_request_error', message },
      request_id: id,
      policy,
    }),
  },
  /** Codex tries a 403 thirteen times, a 400 once. */
  openai: {
    status: 400,
    body: ({ message, policy }) => ({
      error: { message, type: 'invalid_request_error', param: null, code: CODE },
      policy,
    }),
  },
  /** google.rpc.Status; the values of `metadata` must be strings. */
  gemini: {
    status: 403,
    body: ({ message, policy }) => ({
      error: {
        code: 403,
        message,
        status: 'PERMISSION_DENIED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'BLOCKED_BY_POLICY',
            domain: 'sallyport',
            metadata: Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== null)),
          },
        ],
      },
    }),
  },
  bedrock: {
    status: 403,
    headers: ({ id }) => ({ 'x-amzn-errortype': 'AccessDeniedException', 'x-amzn-requestid': id }),
    body: ({ message, policy }) => ({ message, policy }),
  },
  azure: {
    status: 403,
    body: ({ message, policy }) => ({ error: { code: 'PermissionDenied', message }, policy }),
  },
  /** All five keys, or the AI SDK does not read it; `error` for the libraries of OpenAI, which read nothing else. */
  mistral: {
    status: 403,
    body({ message, policy }) {
      const error = { message, type: 'forbidden', param: null, code: CODE };
      return { object: 'error', ...error, error, policy };
    },
  },
  /** `error` likewise: its compatibility API is called by the libraries of OpenAI. */
  cohere: { status: 403, body: ({ message, policy }) => ({ message, error: { message, code: CODE }, policy }) },
  dashscope: {
    status: 403,
    body: ({ message, id, policy }) => ({
      error: { message, type: 'AccessDenied', param: null, code: 'AccessDenied' },
      request_id: id,
      policy,
    }),
  },
  'dashscope-native': {
    status: 403,
    body: ({ message, id, policy }) => ({ code: 'AccessDenied', message, request_id: id, policy }),
  },
  /** `code` must be an integer. */
  openrouter: {
    status: 403,
    body: ({ message, policy }) => ({
      error: { code: 403, message, metadata: { reasons: ['policy'], ...policy } },
      user_id: null,
    }),
  },
  /** `error` must be a string: its libraries show an object as "[object Object]". The field is for HEAD, which asks for files. */
  huggingface: {
    status: 403,
    headers: ({ message }) => ({ 'X-Error-Message': ascii(message, limits.message) }),
    body: ({ message, policy }) => ({ error: message, message, code: CODE, policy }),
  },
  /** `error` must be a string here too. */
  ollama: { status: 403, body: ({ message, policy }) => ({ error: message, message, code: CODE, policy }) },
  /** `error` must be a string once more; to a 403 it adds that a security policy may forbid the package. */
  npm: { status: 403, body: ({ message, policy }) => ({ error: message, message, code: CODE, policy }) },
  assemblyai: { status: 403, body: ({ message, policy }) => ({ error: message, message, code: CODE, policy }) },
  /** The form of OpenAI's, but that the AI SDK reads a code only where it is a number. */
  perplexity: { status: 403, body: ({ message, policy }) => ({ error: { code: 403, message, type: CODE }, policy }) },
  /** A 403 is a matter of its subscription to it. Without `x-github-request-id`, so that it says that a proxy answered. */
  copilot: { status: 400, body: ({ message, policy }) => ({ error: { message, code: CODE }, policy }) },
  /** It prints `error.code` and nothing else, of a body with `ok` alone; a 403 is an expired token to it. */
  amp: { status: 400, body: ({ message, policy }) => ({ ok: false, error: { code: message, message }, policy }) },
  /** To a 403 it says that the account was disabled; a 400 or 451 it reports, one more request for each. */
  augment: {
    status: 404,
    body: ({ message, policy }) => ({
      error_details: { code: 0, message, detail: '' },
      error: message,
      message,
      policy,
    }),
  },
  /** Qoder takes 400 and 403 for a rejected token. */
  qoder: { status: 451, body: universal },
  none: { status: 403, body: universal },
};

export function shapeOf(dialect: Dialect): Shape {
  return shapes[dialect];
}
