import { expect, test } from 'vitest';
import { labOfTest } from '../support/origins.ts';
import { exchange, httpOrigin } from '../support/streams.ts';

test.each([
  ['TRACE', '', 405, null],
  ['TRACE', 'Max-Forwards: 3\r\n', 405, null],
  ['OPTIONS', 'Max-Forwards: 0\r\n', 200, null],
  ['OPTIONS', 'Max-Forwards: 1\r\n', 200, '0'],
  ['OPTIONS', 'Max-Forwards: many\r\n', 200, 'many'],
  ['GET', 'Max-Forwards: 0\r\n', 200, '0'],
])('%s with %j is answered %i, and goes on with %j', async (method, field, status, forwards) => {
  const seen: (string | null)[] = [];
  const origin = await httpOrigin((req, res) => {
    seen.push(req.headers['max-forwards']?.toString() ?? null);
    res.end();
  });
  const lab = await labOfTest();
  const url = `http://ok.test:${origin.port}/`;
  const head = `${method} ${url} HTTP/1.1\r\nHost: ok.test:${origin.port}\r\nConnection: close\r\nX-Secret: sk-1\r\n`;
  const answer = await exchange(lab.proxyPort, `${head}${field}\r\n`);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).not.toContain('sk-1');
  expect(seen).toEqual(forwards === null ? [] : [forwards]);
  if (forwards === null) expect(answer).toMatch(/^Allow: GET, HEAD, /im);
});
