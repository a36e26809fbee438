import { lookup } from 'node:dns/promises';
import { STATUS_CODES } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { ConfigError, errors, SallyportError, upstreamErrorCode, type ErrorCode } from '../src/errors.ts';

const system = (code: string): Error => Object.assign(new Error('x'), { code });

test.each(Object.entries(errors))('%s can be answered', (code, entry) => {
  expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
  expect(entry.status === 499 || String(entry.status) in STATUS_CODES).toBe(true);
  expect(entry.text).toMatch(/^[A-Z][ -~]*\.$/);
  // RFC 9209, section 2.3: a token.
  expect(entry.proxyStatus).toMatch(/^[a-z_]+$/);
  if (entry.fault === 'client') expect(entry.status).toBeLessThan(500 + Number(code === 'version_not_supported') * 6);
  if (entry.fault === 'upstream' || entry.fault === 'proxy') expect(entry.status).toBeGreaterThanOrEqual(500);
  if (entry.fault === 'policy') expect(entry.status).toBe(403);
});

test.each<[unknown, ErrorCode]>([
  [new SallyportError('loop_detected'), 'loop_detected'],
  [system('ECONNREFUSED'), 'connection_refused'],
  [system('ECONNRESET'), 'connection_terminated'],
  [system('EPIPE'), 'connection_terminated'],
  [system('ETIMEDOUT'), 'connection_timeout'],
  [system('EHOSTUNREACH'), 'destination_unreachable'],
  [system('ENOTFOUND'), 'dns_error'],
  [system('EAI_AGAIN'), 'dns_error'],
  [system('HPE_INVALID_CONSTANT'), 'upstream_protocol_error'],
  [system('HPE_HEADER_OVERFLOW'), 'upstream_protocol_error'],
  [system('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'tls_protocol_error'],
  [new AggregateError([system('ECONNREFUSED'), system('ETIMEDOUT')]), 'connection_refused'],
  [new AggregateError([]), 'internal_error'],
  [new TypeError('a bug'), 'internal_error'],
  ['a text', 'internal_error'],
  [null, 'internal_error'],
  [undefined, 'internal_error'],
])('%j is %s', (error, code) => {
  expect(upstreamErrorCode(error)).toBe(code);
});

test('what the system really throws is known', async () => {
  const refused = await new Promise((resolve) => connect(1, '127.0.0.1').once('error', resolve));
  expect(upstreamErrorCode(refused)).toBe('connection_refused');
  const unknown = await lookup('nowhere.invalid').catch((error: unknown) => error);
  expect(upstreamErrorCode(unknown)).toBe('dns_error');
});

test('an error of ours speaks in its own words or in those of the catalogue', () => {
  const cause = new Error('below');
  const own = new SallyportError('dns_error', 'SERVFAIL', { cause });
  expect([own.name, own.message, own.code, own.cause]).toEqual(['SallyportError', 'SERVFAIL', 'dns_error', cause]);
  expect(new SallyportError('draining').message).toBe(errors.draining.text);
  expect(new ConfigError('line 3').name).toBe('ConfigError');
});
