/**
 * The denial in each API dialect: the body that its SDKs read, and the status that makes its clients stop at once.
 * Never 401, 407, 429, 5xx or a redirect: clients would retry, log in again, or send their key to the new address; a
 * 404 only for a client known to stop on it.
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

/** Our error code, in every shape with a code of free choice. */
const CODE = 'blocked_by_policy';

/**
 * Works with all clients tested: the message comes first, for those that print the beginning, and the code is a number,
 * as the AI SDK expects for many providers.
 */
const universal = ({ message, policy }: ShapeFacts): object => ({
  message,
  error: { message, type: CODE, code: 403, status: 'PERMISSION_DENIED' },
  type: 'error',
  detail: message,
  policy,
});

const shapes: Readonly<Record<Dialect, Shape>> = {
  /** On 403, some programs ask the user to log in. */
  anthropic: {
    status: 400,
    body: ({ message, id, policy }) => ({
      type: 'error',
      error: { type: 'invalid_request_error', message },
      request_id: id,
      policy,
    }),
  },
  /** Codex sends a request thirteen times on 403, once on 400. */
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
  /** The AI SDK requires all five keys; OpenAI's libraries read only `error`. */
  mistral: {
    status: 403,
    body({ message, policy }) {
      const error = { message, type: 'forbidden', param: null, code: CODE };
      return { object: 'error', ...error, error, policy };
    },
  },
  /** `error` is for OpenAI's libraries, which are used with the compatibility API. */
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
  /** `error` must be a string: its libraries show an object as "[object Object]". The field is for HEAD requests. */
  huggingface: {
    status: 403,
    headers: ({ message }) => ({ 'X-Error-Message': ascii(message, limits.message) }),
    body: ({ message, policy }) => ({ error: message, message, code: CODE, policy }),
  },
  /** `error` must be a string. */
  ollama: { status: 403, body: ({ message, policy }) => ({ error: message, message, code: CODE, policy }) },
  /** `error` must be a string; on 403, npm adds that a security policy may forbid the package. */
  npm: { status: 403, body: ({ message, policy }) => ({ error: message, message, code: CODE, policy }) },
  assemblyai: { status: 403, body: ({ message, policy }) => ({ error: message, message, code: CODE, policy }) },
  /** Like OpenAI's, except that the AI SDK only accepts a number as the code. */
  perplexity: { status: 403, body: ({ message, policy }) => ({ error: { code: 403, message, type: CODE }, policy }) },
  /** Copilot takes a 403 for a missing subscription. Without `x-github-request-id`, it says that a proxy answered. */
  copilot: { status: 400, body: ({ message, policy }) => ({ error: { message, code: CODE }, policy }) },
  /** Amp prints only `error.code`, and only if the body has `ok`; it takes a 403 for an expired token. */
  amp: { status: 400, body: ({ message, policy }) => ({ ok: false, error: { code: message, message }, policy }) },
  /** On 403, Augment says that the account was disabled; a 400 or 451 it reports with one more request each. */
  augment: {
    status: 404,
    body: ({ message, policy }) => ({
      error_details: { code: 0, message, detail: '' },
      error: message,
      message,
      policy,
    }),
  },
  /** Qoder takes a 400 or 403 for a rejected token. */
  qoder: { status: 451, body: universal },
  none: { status: 403, body: universal },
};

export function shapeOf(dialect: Dialect): Shape {
  return shapes[dialect];
}
