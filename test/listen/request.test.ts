import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SallyportError } from '../../src/errors.ts';
import type { Hostname, Target } from '../../src/flow.ts';
import { addressPlain, addressTunnelled } from '../../src/listen/request.ts';

interface Sent {
  readonly url: string;
  readonly method?: string;
  readonly hosts?: readonly string[];
  readonly authority?: string;
  readonly httpVersion?: string;
  readonly coding?: string;
}

/** A request as the parsers of Node give it; HTTP/2 where there is an authority. */
function message(sent: Sent): IncomingMessage & Http2ServerRequest {
  const hosts = sent.hosts ?? [];
  const headers = {
    ...(hosts[0] === undefined ? {} : { host: hosts[0] }),
    ...(sent.coding === undefined ? {} : { 'transfer-encoding': sent.coding }),
  };
  const rawHeaders = hosts.flatMap((host, i) => [i % 2 === 0 ? 'Host' : 'hOST', host]);
  const httpVersion = sent.httpVersion ?? (sent.authority === undefined ? '1.1' : '2.0');
  const second = sent.authority === undefined ? {} : { stream: {}, scheme: 'https', authority: sent.authority };
  return {
    method: sent.method ?? 'GET',
    url: sent.url,
    httpVersion,
    headers,
    rawHeaders,
    ...second,
  } as unknown as IncomingMessage & Http2ServerRequest;
}

function code(address: () => unknown): string | null {
  try {
    address();
    return null;
  } catch (error) {
    if (error instanceof SallyportError) return error.code;
    throw error;
  }
}

test.each([
  [{ url: 'http://ok.test/', hosts: ['ok.test'] }, 80, '/'],
  [{ url: 'HTTP://OK.TEST:80', hosts: ['ok.test'] }, 80, '/'],
  [{ url: 'http://ok.test./a?b', hosts: ['OK.test.:80'] }, 80, '/a?b'],
  [{ url: 'http://ok.test:8080//x', hosts: ['ok.test:8080'] }, 8080, '//x'],
  [{ url: 'http://ok.test/', httpVersion: '1.0' }, 80, '/'],
  [{ url: 'http://ok.test/', hosts: ['ok.test'], coding: 'Chunked ' }, 80, '/'],
])('in the clear %j goes to port %i', (sent, port, path) => {
  const { target, facts } = addressPlain(message(sent));
  expect(target).toEqual({ host: 'ok.test', kind: 'name', port });
  expect(facts).toMatchObject({ path, scheme: 'http' });
});

test.each([
  [{ url: 'https://ok.test/', hosts: ['ok.test'] }, 443, '/'],
  [{ url: 'https://ok.test:8443/a?b', hosts: ['ok.test:8443'] }, 8443, '/a?b'],
])('in the clear %j is known for what it is', (sent, port, path) => {
  const { target, facts } = addressPlain(message(sent));
  expect(target).toEqual({ host: 'ok.test', kind: 'name', port });
  expect(facts).toMatchObject({ path, scheme: 'https' });
});

const plainCases: readonly (readonly [Sent, string])[] = [
  [{ url: '/', hosts: ['ok.test'] }, 'not_a_proxy_request'],
  [{ url: '//ok.test/', hosts: ['ok.test'] }, 'not_a_proxy_request'],
  [{ url: '*', hosts: ['ok.test'] }, 'not_a_proxy_request'],
  [{ url: '', hosts: ['ok.test'] }, 'invalid_target'],
  [{ url: 'https://ok.test/', hosts: ['ok.test:80'] }, 'host_mismatch'],
  [{ url: 'http://ok.test/', hosts: ['deny.test'] }, 'host_mismatch'],
  [{ url: 'http://ok.test/', hosts: ['ok.test:8080'] }, 'host_mismatch'],
  [{ url: 'http://ok.test:8080/', hosts: ['ok.test'] }, 'host_mismatch'],
  [{ url: 'http://ok.test/', hosts: ['ok.test', 'ok.test'] }, 'host_mismatch'],
  [{ url: 'http://ok.test/', hosts: ['ok.test', 'deny.test'] }, 'host_mismatch'],
  [{ url: 'http://ok.test/', hosts: ['ok.test', 'deny.test'], httpVersion: '1.0' }, 'host_mismatch'],
  [{ url: 'http://ok.test/', hosts: ['deny.test'], httpVersion: '1.0' }, 'host_mismatch'],
  [{ url: 'http://ok.test/' }, 'host_mismatch'],
  [{ url: 'http://ok.test/', hosts: [''] }, 'invalid_target'],
  [{ url: 'http://ok.test/', hosts: ['a@ok.test'] }, 'invalid_target'],
  [{ url: 'http://ok.test/ä', hosts: ['ok.test'] }, 'malformed_request'],
  [{ url: 'http://ok.test/', hosts: ['ok.test'], httpVersion: '2.0' }, 'version_not_supported'],
  [{ url: 'http://ok.test/', hosts: ['ok.test'], coding: 'gzip, chunked' }, 'malformed_request'],
  [{ url: 'http://ok.test/', hosts: ['ok.test'], coding: 'chunked, chunked' }, 'malformed_request'],
  [{ url: 'http://ok.test/', httpVersion: '1.0', coding: 'chunked' }, 'malformed_request'],
];
test.each(plainCases)('in the clear %j is %s', (sent, expected) => {
  expect(code(() => addressPlain(message(sent)))).toBe(expected);
});

const look: Target = { host: 'look.test' as Hostname, kind: 'name', port: 443 };

const insideCases: readonly (readonly [Sent, string | null])[] = [
  [{ url: '/', hosts: ['look.test'] }, null],
  [{ url: '/', hosts: ['LOOK.test.:443'] }, null],
  [{ url: '/' }, null],
  [{ url: '*', method: 'OPTIONS', hosts: ['look.test'] }, null],
  [{ url: '*', hosts: ['look.test'] }, 'invalid_target'],
  [{ url: '/', hosts: ['look.test', 'look.test'] }, 'host_mismatch'],
  [{ url: 'https://look.test/x', hosts: ['look.test'] }, null],
  [{ url: '/', authority: 'look.test' }, null],
  [{ url: '/', authority: 'look.test:443', hosts: ['look.test'] }, null],
  [{ url: '/', hosts: ['deny.test'] }, 'misdirected_request'],
  [{ url: '/', hosts: ['look.test:8443'] }, 'misdirected_request'],
  [{ url: '/', hosts: ['look.test', 'deny.test'] }, 'misdirected_request'],
  [{ url: '/', hosts: ['sub.look.test'] }, 'misdirected_request'],
  [{ url: '/', authority: 'deny.test' }, 'misdirected_request'],
  [{ url: '/', authority: 'look.test', hosts: ['deny.test'] }, 'misdirected_request'],
  [{ url: '/', authority: 'deny.test', hosts: ['look.test'] }, 'misdirected_request'],
  [{ url: 'https://deny.test/', hosts: ['look.test'] }, 'misdirected_request'],
  [{ url: 'http://look.test/', hosts: ['look.test'] }, 'misdirected_request'],
  [{ url: 'http://look.test:443/', hosts: ['look.test'] }, 'misdirected_request'],
  [{ url: '/', authority: 'a@look.test' }, 'invalid_target'],
  [{ url: '/', authority: 'look.test deny.test' }, 'invalid_target'],
  [{ url: '/', authority: 'look.test\0' }, 'invalid_target'],
  [{ url: '/', hosts: [''] }, 'invalid_target'],
  [{ url: '/\r\nX: y', authority: 'look.test' }, 'malformed_request'],
  [{ url: '/a b', authority: 'look.test' }, 'malformed_request'],
  [{ url: '', authority: 'look.test' }, 'invalid_target'],
  [{ url: '/', hosts: ['look.test'], httpVersion: '2.0' }, 'version_not_supported'],
  [{ url: '/', hosts: ['look.test'], coding: 'gzip' }, 'malformed_request'],
];
test.each(insideCases)('inside a tunnel to look.test %j is %s', (sent, expected) => {
  expect(code(() => addressTunnelled(message(sent), look, 'https'))).toBe(expected);
});

test('a Host without a port means that of the tunnel; another port is another host', () => {
  const target = { ...look, port: 8443 };
  const ask = (host: string) => code(() => addressTunnelled(message({ url: '/', hosts: [host] }), target, 'https'));
  expect(ask('look.test')).toBe(null);
  expect(ask('look.test:8443')).toBe(null);
  expect(ask('look.test:443')).toBe('misdirected_request');
});

test('whatever it says, a request is for its tunnel or for nobody', () => {
  const parts = fc.constantFrom(
    'look.test',
    'deny.test',
    ':443',
    ':80',
    '@',
    '.',
    '/',
    'https://',
    '\\',
    '%',
    ' ',
    'L',
  );
  const text = fc.array(parts, { maxLength: 4 }).map((all) => all.join(''));
  fc.assert(
    fc.property(
      text,
      fc.array(text, { maxLength: 2 }),
      fc.option(text, { nil: undefined }),
      (url, hosts, authority) => {
        const sent = { url, hosts, ...(authority === undefined ? {} : { authority }) };
        if (code(() => addressTunnelled(message(sent), look, 'https')) !== null) return;
        expect(addressTunnelled(message(sent), look, 'https').target).toEqual(look);
        for (const name of [...hosts, authority ?? '']) expect(name).not.toContain('deny');
      },
    ),
    { numRuns: 5_000 },
  );
});
