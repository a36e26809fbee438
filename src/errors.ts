/**
 * All error codes of answers, log lines and metrics.
 *
 * `fault` says who has to act. `proxyStatus` is the closest error type of RFC 9209, section 2.3.
 */
export type Fault = 'client' | 'policy' | 'upstream' | 'proxy';

interface Entry {
  /** The HTTP status of the answer, if one can still be sent. */
  readonly status: number;
  readonly fault: Fault;
  readonly proxyStatus: string;
  /** One line for the user. */
  readonly text: string;
}

const atLimit = { status: 503, fault: 'proxy', proxyStatus: 'connection_limit_reached' } as const;

export const errors = {
  malformed_request: {
    status: 400,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'The request is not valid HTTP/1.1.',
  },
  invalid_target: {
    status: 400,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'The target is not a valid host and port.',
  },
  unsupported_scheme: {
    status: 400,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'Only http:// can be requested in the clear; use CONNECT for https://.',
  },
  host_mismatch: {
    status: 400,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'The Host header names a different host than the request target.',
  },
  not_a_proxy_request: {
    status: 400,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'This is a proxy port: use it as an HTTP proxy.',
  },
  misdirected_request: {
    status: 421,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'The request names a different host than the tunnel it came through.',
  },
  header_too_large: {
    status: 431,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'The request head is larger than 16 KiB, or has more than 200 lines.',
  },
  method_not_allowed: {
    status: 405,
    fault: 'client',
    proxyStatus: 'http_request_denied',
    text: 'The proxy does not forward this method.',
  },
  request_timeout: {
    status: 408,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'The request head did not arrive in time.',
  },
  version_not_supported: {
    status: 505,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'Only HTTP/1.0 and HTTP/1.1 are supported.',
  },
  policy_denied: {
    status: 403,
    fault: 'policy',
    proxyStatus: 'http_request_denied',
    text: 'Blocked by company policy.',
  },
  client_prohibited: {
    status: 403,
    fault: 'policy',
    proxyStatus: 'http_request_denied',
    text: 'This client may not use the proxy.',
  },
  authentication_required: {
    status: 407,
    fault: 'client',
    proxyStatus: 'http_request_denied',
    text: 'The proxy requires a valid user name and password.',
  },
  authentication_limit: {
    status: 429,
    fault: 'client',
    proxyStatus: 'http_request_denied',
    text: 'Too many wrong passwords; try again later.',
  },
  authentication_unavailable: {
    status: 503,
    fault: 'proxy',
    proxyStatus: 'proxy_internal_error',
    text: 'Passwords cannot be checked right now; try again shortly.',
  },
  destination_prohibited: {
    status: 403,
    fault: 'policy',
    proxyStatus: 'destination_ip_prohibited',
    text: 'The destination address may not be reached through this proxy.',
  },
  port_prohibited: {
    status: 403,
    fault: 'policy',
    proxyStatus: 'http_request_denied',
    text: 'The destination port may not be reached through this proxy.',
  },
  server_name_mismatch: {
    status: 403,
    fault: 'policy',
    proxyStatus: 'http_request_denied',
    text: 'The TLS server name does not match the requested host.',
  },
  ech_denied: {
    status: 403,
    fault: 'policy',
    proxyStatus: 'http_request_denied',
    text: 'The TLS server name is hidden (Encrypted Client Hello), which policy does not allow.',
  },
  tls_required: {
    status: 403,
    fault: 'policy',
    proxyStatus: 'http_request_denied',
    text: 'Tunnels to this port may carry only TLS.',
  },
  hello_timeout: {
    status: 408,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'The client sent nothing through its tunnel in time.',
  },
  client_rejected_ca: {
    status: 403,
    fault: 'client',
    proxyStatus: 'tls_alert_received',
    text: "The client does not trust the company's certificate authority.",
  },
  client_closed: {
    status: 499,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'The client disconnected before it was answered.',
  },
  proxy_tls_error: {
    status: 400,
    fault: 'client',
    proxyStatus: 'http_request_error',
    text: 'This port speaks TLS: write https:// for the address of the proxy.',
  },
  dns_error: { status: 502, fault: 'upstream', proxyStatus: 'dns_error', text: 'The host name could not be resolved.' },
  dns_timeout: {
    status: 504,
    fault: 'upstream',
    proxyStatus: 'dns_timeout',
    text: 'The host name was not resolved in time.',
  },
  connection_refused: {
    status: 502,
    fault: 'upstream',
    proxyStatus: 'connection_refused',
    text: 'The destination refused the connection.',
  },
  connection_timeout: {
    status: 504,
    fault: 'upstream',
    proxyStatus: 'connection_timeout',
    text: 'The connection to the destination was not established in time.',
  },
  connection_terminated: {
    status: 502,
    fault: 'upstream',
    proxyStatus: 'connection_terminated',
    text: 'The destination closed the connection before the response was complete.',
  },
  destination_unreachable: {
    status: 502,
    fault: 'upstream',
    proxyStatus: 'destination_ip_unroutable',
    text: 'The destination cannot be reached.',
  },
  upstream_protocol_error: {
    status: 502,
    fault: 'upstream',
    proxyStatus: 'http_protocol_error',
    text: 'The destination did not answer with valid HTTP.',
  },
  tls_certificate_error: {
    status: 502,
    fault: 'upstream',
    proxyStatus: 'tls_certificate_error',
    text: "The destination's certificate is not valid.",
  },
  tls_protocol_error: {
    status: 502,
    fault: 'upstream',
    proxyStatus: 'tls_protocol_error',
    text: 'The destination did not complete the TLS handshake.',
  },
  response_timeout: {
    status: 504,
    fault: 'upstream',
    proxyStatus: 'http_response_timeout',
    text: 'The destination did not start its response in time.',
  },
  idle_timeout: {
    status: 504,
    fault: 'upstream',
    proxyStatus: 'http_response_timeout',
    text: 'No data was transferred for longer than the idle limit.',
  },
  policy_changed: {
    status: 403,
    fault: 'policy',
    proxyStatus: 'http_request_denied',
    text: 'The connection was closed because the policy now denies it.',
  },
  loop_detected: {
    status: 502,
    fault: 'proxy',
    proxyStatus: 'proxy_loop_detected',
    text: 'The request came back to the proxy that sent it.',
  },
  connection_limit: { ...atLimit, text: 'The proxy is at its connection limit; try again shortly.' },
  client_limit: { ...atLimit, text: 'This client has too many connections open; try again shortly.' },
  rate_limit: { status: 429, fault: 'client', proxyStatus: 'http_request_denied', text: 'Too many requests.' },
  certificate_limit: { ...atLimit, text: 'Too many new certificates are being issued; try again shortly.' },
  lifetime_limit: { ...atLimit, text: 'The connection reached its maximum lifetime.' },
  draining: { ...atLimit, text: 'The proxy is shutting down; try again shortly.' },
  internal_error: {
    status: 500,
    fault: 'proxy',
    proxyStatus: 'proxy_internal_error',
    text: 'The proxy failed while handling the request.',
  },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof errors;

/** A failure with its error code. `detail` is for the log only and must not contain secrets. */
export class SallyportError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail ?? errors[code].text, options);
    this.name = 'SallyportError';
    this.code = code;
  }
}

/** Thrown for unusable configuration. The message is one line: file, line, what is wrong, what to do. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigError';
  }
}

const bySystemCode: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_terminated',
  EPIPE: 'connection_terminated',
  ETIMEDOUT: 'connection_timeout',
  EHOSTUNREACH: 'destination_unreachable',
  ENETUNREACH: 'destination_unreachable',
  EHOSTDOWN: 'destination_unreachable',
  ENETDOWN: 'destination_unreachable',
  // A firewall on this machine.
  EACCES: 'destination_unreachable',
  EPERM: 'destination_unreachable',
  EADDRNOTAVAIL: 'destination_unreachable',
  EMFILE: 'connection_limit',
  ENFILE: 'connection_limit',
  ENOTFOUND: 'dns_error',
  EAI_AGAIN: 'dns_error',
  EAI_FAIL: 'dns_error',
  ENODATA: 'dns_error',
  ERR_INVALID_ARG_VALUE: 'invalid_target',
};

/** The error code for anything thrown while dialling an origin or reading from it. */
export function upstreamErrorCode(error: unknown): ErrorCode {
  if (error instanceof SallyportError) return error.code;
  if (!(error instanceof Error)) return 'internal_error';
  if (error instanceof AggregateError && error.errors.length > 0) return upstreamErrorCode(error.errors[0]);
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code.startsWith('HPE_')) return 'upstream_protocol_error';
  // Also while reading: a TLS 1.3 server rejects a missing client certificate after the client's part of the handshake
  // (RFC 8446, section 4.4.2.4).
  if (code.startsWith('ERR_SSL_')) return 'tls_protocol_error';
  return (Object.hasOwn(bySystemCode, code) ? bySystemCode[code] : undefined) ?? 'internal_error';
}

/** Formats anything that was thrown, with its stack, on one line. */
export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).replaceAll(/\s*\n\s*/g, ' | ') : String(error);
}
