/**
 * https:// in the clear, as axios asks: through the whole product, since it takes three stations to answer it right.
 */
import { expect, test } from 'vitest';
import { labOfTest } from '../support/origins.ts';
import { eventually, exchange } from '../support/streams.ts';

const head = (line: string, host: string, more = ''): string => `${line} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;

test('what is denied is told why, in the words of its API', async () => {
  const lab = await labOfTest();
  const host = 'api.anthropic.com';
  const answer = await exchange(
    lab.proxyPort,
    head(`POST https://${host}/v1/messages`, host, 'Content-Type: application/json\r\nContent-Length: 2\r\n') + '{}',
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 Blocked by company policy/);
  expect(answer).toContain('"type":"invalid_request_error","message":"Blocked by company policy: Claude API');
  await eventually('the log line', () => lab.lines().length === 1);
  expect(lab.lines()[0]).toMatchObject({
    url: { scheme: 'https', domain: host, port: 443 },
    sallyport: { effect: 'deny', outcome: 'blocked' },
  });
});

test.each([
  ['a request', ''],
  ['an upgrade', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'],
])('what is allowed is not passed on: %s', async (_what, more) => {
  const lab = await labOfTest();
  const answer = await exchange(lab.proxyPort, head('GET https://allowed.test/', 'allowed.test', more));
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toContain('X-Proxy-Error: unsupported_scheme');
  await eventually('the log line', () => lab.lines().length === 1);
  expect(lab.lines()[0]).toMatchObject({ sallyport: { outcome: 'failed', error: 'unsupported_scheme' } });
});
