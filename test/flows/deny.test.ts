/**
 * Denied hosts through the whole product: answered inside TLS in the client's own words, never dialled, counted once.
 */
import { constants } from 'node:http2';
import { createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { curl } from '../support/curl.ts';
import type { Lab } from '../support/lab.ts';
import { certificateOfTest, labOfTest, recorder } from '../support/origins.ts';
import { connectRaw, eventually } from '../support/streams.ts';
import { askHttp2, askInside, connectHead, http2Over, openTunnel, rawTunnel, tlsOver } from '../support/tunnels.ts';

const blocked = (lab: Lab): Promise<number> => lab.metric('sallyport_blocked_total');

/** The id in the only log line so far, once it is written. */
async function loggedId(lab: Lab): Promise<string> {
  await eventually('the log line', () => lab.lines().length > 0);
  expect(lab.lines()).toHaveLength(1);
  return lab.lines()[0]?.event.id ?? '';
}

/** Head and body of an answer that `curl -i` printed behind the proxy's own answer to the CONNECT. */
function split(out: string): { readonly head: string; readonly body: string } {
  const parts = out.split('\r\n\r\n');
  return { head: parts.at(-2) ?? '', body: parts.at(-1) ?? '' };
}

describe.each(['--http1.1', '--http2'])('curl %s', (version) => {
  test.each([
    ['anthropic', 'https://api.anthropic.com/v1/messages', 400],
    ['openai', 'https://api.openai.com/v1/responses', 400],
  ])('gets an error of %s itself', async (vendor, url, status) => {
    const lab = await labOfTest();
    const { exit, out } = await curl('-i', version, '-x', lab.proxyUrl, '--cacert', lab.caFile, url, '-d', '{"a":1}');
    const { head, body } = split(out);
    const id = await loggedId(lab);
    expect(exit).toBe(0);
    expect(head).toMatch(new RegExp(`^HTTP/[12.]+ ${status}`));
    expect(head).toMatch(/^content-type: application\/json$/im);
    expect(head).toMatch(/^cache-control: no-store$/im);
    expect(head).toMatch(/^x-proxy-error: policy_denied$/im);
    expect(head).toMatch(/^proxy-status: sallyport; error=http_request_denied/im);
    expect(Number(/^content-length: (\d+)/im.exec(head)?.[1])).toBe(Buffer.byteLength(body));
    const { policy, ...shape } = JSON.parse(body) as { policy: object; error: { message: string } };
    const { message } = shape.error;
    if (vendor === 'anthropic')
      expect(shape).toEqual({
        type: 'error',
        error: { type: 'invalid_request_error', message },
        request_id: id,
      });
    else
      expect(shape).toEqual({
        error: { message, type: 'invalid_request_error', param: null, code: 'blocked_by_policy' },
      });
    expect(message).toMatch(/^Blocked by company policy: .* Use Qoder instead: http:\/\/assistant\.test\//);
    expect(message).toContain(id);
    expect(policy).toMatchObject({ vendor, id, assistant: 'http://assistant.test/' });
    expect(lab.lines()[0]).toMatchObject({ sallyport: { effect: 'deny', outcome: 'blocked', vendor } });
    expect(await blocked(lab)).toBe(1);
    expect(await lab.metric('sallyport_blocked_total', `vendor="${vendor}"`, `answer="${vendor}"`)).toBe(1);
  });

  test('gets the page where it asks like a browser', async () => {
    const lab = await labOfTest();
    const browser = ['-H', 'sec-fetch-mode: navigate', '-H', 'sec-fetch-dest: document', '-H', 'accept: text/html'];
    const url = 'https://claude.ai/new';
    const { out } = await curl('-i', version, ...browser, '-x', lab.proxyUrl, '--cacert', lab.caFile, url);
    const { head, body } = split(out);
    expect(head).toMatch(/^HTTP\/[12.]+ 403/);
    expect(head).toMatch(/^content-type: text\/html/im);
    expect(body).toContain('Anthropic');
    expect(body).toContain('Claude Code is classified as high-risk.');
    expect(body).toContain(await loggedId(lab));
    expect(await lab.metric('sallyport_blocked_total', 'answer="page"')).toBe(1);
  });

  test('is redirected at once where the rule says so', async () => {
    const lab = await labOfTest();
    const browser = ['-H', 'sec-fetch-mode: navigate', '-H', 'sec-fetch-dest: document', '-H', 'accept: text/html'];
    const url = 'https://gemini.google.com/app';
    const { out } = await curl('-i', version, ...browser, '-x', lab.proxyUrl, '--cacert', lab.caFile, url);
    expect(split(out).head).toMatch(/^HTTP\/[12.]+ 303/);
    expect(split(out).head).toMatch(/^location: http:\/\/assistant\.test\//im);
  });
});

describe('over HTTP/2', () => {
  test('three requests on one connection are three attempts', async () => {
    const lab = await labOfTest();
    const session = await http2Over(
      await openTunnel(lab.proxyPort, 'api.anthropic.com:443'),
      lab.ca,
      'api.anthropic.com',
    );
    const ask = () => askHttp2(session, { ':method': 'POST', ':path': '/v1/messages' }, '{}');
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ headers }) => headers[':status'])).toEqual([400, 400, 400]);
    expect(new Set(answers.map(({ body }) => (JSON.parse(body) as { request_id: string }).request_id)).size).toBe(3);
    session.close();
    await eventually('three lines', () => lab.lines().length === 3);
    await eventually('no tunnel', () => lab.lines().every((line) => line.event.action === 'request-blocked'));
    expect(await blocked(lab)).toBe(3);
    expect(await lab.metric('sallyport_leaf_certificates_minted_total')).toBe(1);
  });

  test('gRPC is answered in one HEADERS frame that ends the stream', async () => {
    const lab = await labOfTest();
    const host = 'api.anthropic.com';
    const session = await http2Over(await openTunnel(lab.proxyPort, `${host}:443`), lab.ca, host);
    const headers = { ':method': 'POST', ':path': '/x.Y/Z', 'content-type': 'application/grpc', te: 'trailers' };
    const answer = await askHttp2(session, headers, '\0\0\0\0\0');
    expect(answer.flags & constants.NGHTTP2_FLAG_END_STREAM).toBe(constants.NGHTTP2_FLAG_END_STREAM);
    expect(answer).toMatchObject({ body: '', trailers: null, headers: { ':status': 200, 'grpc-status': '7' } });
    expect(String(answer.headers['grpc-message'])).toMatch(/^Blocked by company policy: .*http:\/\/assistant\.test\//);
    expect(answer.headers['content-length'] ?? '0').toBe('0');
    await eventually('the log line', () => lab.lines().length === 1);
    expect(lab.lines()[0]).toMatchObject({ sallyport: { outcome: 'blocked', answer: 'grpc' } });
    expect(await blocked(lab)).toBe(1);
  });

  test('and HTTP/1.1 a request for another host than the tunnel’s is misdirected', async () => {
    const lab = await labOfTest();
    const host = 'api.anthropic.com';
    const session = await http2Over(await openTunnel(lab.proxyPort, `${host}:443`), lab.ca, host);
    expect((await askHttp2(session, { ':path': '/' })).headers[':status']).toBe(400);
    expect((await askHttp2(session, { ':path': '/', ':authority': 'ok.test' })).headers[':status']).toBe(421);
    const http1 = await askInside(lab.proxyPort, lab.ca, `https://${host}/`, { headers: { host: 'ok.test' } });
    expect(http1).toMatchObject({ status: 421, headers: { 'x-proxy-error': 'misdirected_request' } });
    expect(await lab.metric('sallyport_errors_total', 'code="misdirected_request"')).toBe(2);
    expect(await blocked(lab)).toBe(1);
  });
});

test('a WebSocket is accepted and closed with the reason', async () => {
  const lab = await labOfTest();
  const tunnel = await openTunnel(lab.proxyPort, 'chatgpt.com:443');
  const tls = await tlsOver(tunnel, { ca: lab.ca, servername: 'chatgpt.com' });
  const socket = new WebSocket('wss://chatgpt.com/backend-api/ws', { createConnection: () => tls });
  const closed = await new Promise<{ code: number; reason: string }>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  const id = await loggedId(lab);
  expect(closed.code).toBe(1008);
  expect(closed.reason).toMatch(/^Blocked by company policy: .*http:\/\/assistant\.test\//);
  expect(closed.reason).toContain(id);
  expect(lab.lines()[0]).toMatchObject({ event: { action: 'upgrade-blocked' }, sallyport: { answer: 'websocket' } });
  expect(await blocked(lab)).toBe(1);
});

describe('at the CONNECT', () => {
  test.each(['api.anthropic.com:22', 'refused.test:25'])(
    'is answered 403 at once where no HTTP is spoken: %s',
    async (authority) => {
      const lab = await labOfTest();
      const client = await connectRaw(lab.proxyPort, connectHead(authority));
      const { how, text } = await client.ended;
      expect(how).toBe('fin');
      expect(text).toMatch(/^HTTP\/1\.1 403 Blocked by company policy - use http:\/\/assistant\.test\/\r\n/);
      await expect.poll(() => lab.lines()).toHaveLength(1);
      expect(lab.lines()[0]).toMatchObject({ sallyport: { effect: 'deny', answer: 'connect' } });
    },
  );

  test('refuse answers it 403, with the reason in the status line and the body', async () => {
    const lab = await labOfTest();
    const client = await connectRaw(lab.proxyPort, connectHead('refused.test:443'));
    const { how, text } = await client.ended;
    const { head, body } = split(text);
    const id = await loggedId(lab);
    expect(how).toBe('fin');
    expect(head).toMatch(/^HTTP\/1\.1 403 Blocked by company policy - use http:\/\/assistant\.test\/\r\n/);
    expect(head).toContain(`\r\nContent-Length: ${Buffer.byteLength(body)}`);
    expect(head).toContain('\r\nConnection: close');
    expect(JSON.parse(body)).toMatchObject({ policy: { id, rule: 'refused' } });
    expect(await lab.metric('sallyport_blocked_total', 'answer="connect"', 'rule="refused"')).toBe(1);
    expect(await blocked(lab)).toBe(1);
  });

  test('reset ends it by RST, and a plain request too', async () => {
    const lab = await labOfTest();
    for (const words of [
      connectHead('reset.test:443'),
      'GET http://reset.test/ HTTP/1.1\r\nHost: reset.test\r\n\r\n',
    ]) {
      const client = await connectRaw(lab.proxyPort, words);
      expect(await client.ended).toEqual({ how: 'reset', text: '' });
    }
    await eventually('two lines', () => lab.lines().length === 2);
    expect(await lab.metric('sallyport_blocked_total', 'answer="reset"')).toBe(2);
  });
});

describe('a client that never gets to its request', () => {
  test.each(['http/1.1', 'h2'])(
    'and does not trust the CA is one blocked attempt with its error, over %s',
    async (alpn) => {
      const lab = await labOfTest();
      const stranger = certificateOfTest('claude.ai');
      const tunnel = await openTunnel(lab.proxyPort, 'claude.ai:443');
      const options = { ca: stranger.cert, servername: 'claude.ai', ALPNProtocols: [alpn] };
      await expect(tlsOver(tunnel, options)).rejects.toThrow(/certificate/);
      await loggedId(lab);
      expect(lab.lines()[0]).toMatchObject({
        event: { action: 'tunnel-blocked' },
        sallyport: { vendor: 'anthropic', answer: 'none' },
      });
      expect(await blocked(lab)).toBe(1);
    },
  );

  test.each(['--http1.1', '--http2'])('because curl %s distrusts the CA is recorded as such', async (version) => {
    const lab = await labOfTest();
    const stranger = certificateOfTest('claude.ai');
    const { exit } = await curl(version, '-x', lab.proxyUrl, '--cacert', stranger.file, 'https://claude.ai/');
    expect(exit).toBe(60);
    await loggedId(lab);
    expect(lab.lines()[0]?.sallyport).toMatchObject({ answer: 'none', error: 'client_rejected_ca' });
    expect(await lab.metric('sallyport_errors_total', 'code="client_rejected_ca"')).toBe(1);
    expect(await blocked(lab)).toBe(1);
  });

  test('because it says nothing, or leaves after the handshake, is one blocked attempt', async () => {
    const lab = await labOfTest({ settings: { tunnels: { hello_timeout: '200ms' } } });
    const silent = await rawTunnel(lab.proxyPort, 'claude.ai:443');
    expect(await silent.ended).toEqual({ how: 'reset', text: '' });
    expect(await blocked(lab)).toBe(1);

    const tls = await tlsOver(await openTunnel(lab.proxyPort, 'claude.ai:443'), {
      ca: lab.ca,
      servername: 'claude.ai',
    });
    tls.end();
    await eventually('two lines', () => lab.lines().length === 2);
    expect(lab.lines().map((line) => line.sallyport['error'])).toEqual(['hello_timeout', 'client_closed']);
    expect(await blocked(lab)).toBe(2);
  });
});

test('monitor lets through and counts', async () => {
  const host = 'chat.deepseek.com';
  const lab = await labOfTest({
    settings: { outbound: { hosts: { [host]: '127.0.0.1' }, allow: [host, '127.0.0.1'] } },
  });
  const origin = await recorder('banner');
  const client = await rawTunnel(lab.proxyPort, `${host}:${origin.port}`);
  await client.until('banner');
  client.socket.end();
  await client.ended;
  await loggedId(lab);
  expect(lab.lines()[0]?.sallyport).toMatchObject({ effect: 'monitor', outcome: 'passed', vendor: 'deepseek' });
  expect(await lab.metric('sallyport_would_deny_total', 'vendor="deepseek"', 'rule="deepseek-count"')).toBe(1);
  expect(await blocked(lab)).toBe(0);
});

test('a denied host is never dialled, whichever way it is asked for', async () => {
  const names = ['api.anthropic.com', 'claude.ai', 'gemini.google.com', 'refused.test', 'reset.test'];
  const lab = await labOfTest({
    settings: {
      outbound: { hosts: Object.fromEntries(names.map((name) => [name, '127.0.0.1'])), allow: [...names, '127.0.0.1'] },
    },
  });
  const origin = await recorder();
  // The way to the origin is open: only the policy keeps these names from it.
  const control = createServer(() => undefined);
  control.close();
  for (const name of names) {
    const authority = `${name}:${origin.port}`;
    const inside = ['-x', lab.proxyUrl, '--cacert', lab.caFile];
    await curl(...inside, `https://${authority}/`, '-d', '{}');
    await curl(...inside, `http://${authority}/`, '-d', '{}');
    await curl(...inside, '--proxytunnel', `http://${authority}/`);
    await curl(...inside, `http://${authority}/`, '-H', 'Connection: Upgrade', '-H', 'Upgrade: websocket');
    const client = await connectRaw(lab.proxyPort, connectHead(authority));
    client.write('SSH-2.0-x\r\n');
    await client.ended;
    const tls = connectTls({ port: lab.proxyPort, host: '127.0.0.1', servername: name });
    await new Promise((resolve) => tls.once('error', resolve));
  }
  await eventually('all lines', () => lab.lines().length >= names.length * 5);
  expect(origin.taken()).toBe(0);
  expect(await blocked(lab)).toBe(names.length * 5);
  expect(await lab.metric('sallyport_uncaught_exceptions_total')).toBe(0);
  expect(lab.told).toEqual([]);
});
