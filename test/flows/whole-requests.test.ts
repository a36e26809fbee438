/** Denied requests that come whole are read by the proxy itself, others by Node.js: nobody outside can tell which. */
import { setTimeout } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Lab } from '../support/lab.ts';
import { labOfTest } from '../support/origins.ts';
import { eventually, rawClient } from '../support/streams.ts';
import { openTunnel, tlsOver } from '../support/tunnels.ts';

/** What a client gets for pieces that are sent one after the other, each in a record of its own. */
async function answerTo(lab: Lab, host: string, pieces: readonly string[]): Promise<string> {
  const socket = await openTunnel(lab.proxyPort, `${host}:443`);
  const tls = await tlsOver(socket, { servername: host, ca: readFileSync(lab.caFile) });
  tls.on('end', () => tls.end());
  const client = rawClient(tls);
  for (const piece of pieces) {
    client.write(piece);
    await setTimeout(20);
  }
  return (await client.ended).text;
}

/** Without what differs from one denial to the next. */
function same(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{24}/g, 'ID')
    .replaceAll(/^Date: .*$/gm, 'Date')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\d\d:\d\d(?::\d\d)?/g, 'CLOCK')
    .replaceAll(/(?<=sallyport=)[\w.-]+/g, 'CONTEXT');
}

const page = 'Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nAccept-Language: de\r\n';
const json = 'Authorization: Bearer secret-of-mine\r\nContent-Type: application/json\r\nContent-Length: 2\r\n';

test.each([
  ['a page', 'claude.ai', 'GET /new HTTP/1.1\r\n', page, ''],
  ['the head of a page', 'claude.ai', 'HEAD /new HTTP/1.1\r\n', page, ''],
  ['a call of an API', 'api.anthropic.com', 'POST /v1/messages HTTP/1.1\r\n', json, '{}'],
  ['a stream', 'api.openai.com', 'POST /v1/responses HTTP/1.1\r\n', `Accept: text/event-stream\r\n${json}`, '{}'],
  [
    'a preflight',
    'claude.ai',
    'OPTIONS /a HTTP/1.1\r\n',
    'Origin: https://a.test\r\nAccess-Control-Request-Method: PUT\r\n',
    '',
  ],
  ['a command-line tool', 'claude.ai', 'GET / HTTP/1.1\r\n', 'User-Agent: curl/8.5.0\r\nAccept: */*\r\n', ''],
])('%s: the same answer, and the same record', async (_, host, line, fields, content) => {
  const lab = await labOfTest();
  const head = `${line}Host: ${host}\r\n${fields}\r\n`;
  const whole = await answerTo(lab, host, [head + content]);
  const inPieces = await answerTo(lab, host, [head.slice(0, 30), head.slice(30) + content]);
  expect(whole).toMatch(/^HTTP\/1\.1 [2-5]\d\d .*\r\n/);
  expect(whole).toContain('\r\nConnection: close\r\n');
  expect(same(whole)).toBe(same(inPieces));
  await eventually('both lines', () => lab.lines().length === 2);
  const [first, second] = lab.lines().map((entry) => {
    const { tunnel, ...sallyport } = entry.sallyport as unknown as Record<string, unknown>;
    expect(tunnel).toMatch(/^[0-9a-f]{24}$/);
    const { url, http } = entry as unknown as Record<string, unknown>;
    return { sallyport, url, http };
  });
  expect(first).toEqual(second);
  expect(JSON.stringify(lab.lines())).not.toContain('secret-of-mine');
});

test.each([
  ['pages', `GET /new HTTP/1.1\r\nHost: claude.ai\r\n${page}\r\n`],
  ['heads of pages', `HEAD /new HTTP/1.1\r\nHost: claude.ai\r\n${page}\r\n`],
])(
  '%s that are asked for again and again, many at once, have each their own id, and nothing of another',
  async (_, request) => {
    const lab = await labOfTest();
    const first = await answerTo(lab, 'claude.ai', [request]);
    const ids = new Set<string>();
    for (let round = 0; round < 4; round += 1) {
      const answers = await Promise.all(Array.from({ length: 12 }, () => answerTo(lab, 'claude.ai', [request])));
      for (const answer of answers) {
        expect(same(answer)).toBe(same(first));
        const [id = ''] = /(?<=^X-Sallyport-Id: )[0-9a-f]{24}/m.exec(answer) ?? [];
        ids.add(id);
        expect(answer.match(/[0-9a-f]{24}/g)?.every((other) => other === id)).toBe(true);
        for (const [token = ''] of answer.matchAll(/(?<=sallyport=)[\w-]+/g))
          expect(Buffer.from(token, 'base64url').toString()).toContain(`"id":"${id}"`);
      }
    }
    expect(ids.size).toBe(48);
  },
);
