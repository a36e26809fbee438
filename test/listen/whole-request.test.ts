import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readWholeRequest } from '../../src/listen/whole-request.ts';

/** What Node's own parser makes of the same bytes. */
let read: (text: string) => Promise<IncomingMessage>;
const server = createServer({ requireHostHeader: false });
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  read = (text) =>
    new Promise((resolve) => {
      server.once('request', (req, res) => {
        resolve(req);
        res.end();
      });
      const socket = connect(port, '127.0.0.1', () => socket.end(text, 'latin1')).resume();
    });
});
afterAll(() => void server.close());

const ours = (text: string): ReturnType<typeof readWholeRequest> => readWholeRequest(Buffer.from(text, 'latin1'));

const browser = `GET /new?q=%C3%A4&x=1 HTTP/1.1
Host: claude.ai
sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)
Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8
Cookie: a=b; c=d
constructed:
Empty:

`;

test.each([
  ['GET / HTTP/1.1\n\n'],
  ['GET /small HTTP/1.1\nHost: look.test\nAccept: text/html\nConnection: close\n\n'],
  ['HEAD /a%20b?c;d=e,f HTTP/1.1\nHost: look.test:443\n\n'],
  ['OPTIONS /v1/x HTTP/1.1\nHost: look.test\nOrigin: https://a.test\nAccess-Control-Request-Method: POST\n\n'],
  ['POST /v1/messages HTTP/1.1\nHOST: look.test\nContent-Type: application/json\nContent-Length: 2\n\n{}'],
  ['DELETE / HTTP/1.1\nContent-Length: 0\nX-1: a  b\n\n'],
  [browser],
])('%j means what it means to Node.js', async (lines) => {
  const text = lines.replaceAll('\n', '\r\n');
  const { method, url, httpVersion, headers, rawHeaders } = await read(text);
  expect(ours(text)).toEqual({ method, url, httpVersion, headers, rawHeaders });
});

const post = 'POST / HTTP/1.1\nHost: a\nContent-Length: 4\n\n';
test.each([
  ['nothing', ''],
  ['half a head', 'GET / HTTP/1.1\nHost: a\n'],
  ['content that is still to come', `${post}abc`],
  ['a second request behind it', `${post}abcdGET / HTTP/1.1\n\n`],
  ['content that nothing says the length of', 'GET / HTTP/1.1\n\nx'],
  ['a length that is none', 'GET / HTTP/1.1\nContent-Length: 0x0\n\n'],
  ['a length of many digits', 'GET / HTTP/1.1\nContent-Length: 00000\n\n'],
  ['two lengths', 'GET / HTTP/1.1\nContent-Length: 0\ncontent-length: 0\n\n'],
  ['chunks', 'POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n0\n\n'],
  ['a wish to switch', 'GET / HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket\n\n'],
  ['an expectation', 'POST / HTTP/1.1\nExpect: 100-continue\nContent-Length: 0\n\n'],
  ['a field twice', 'GET / HTTP/1.1\nHost: a\nhost: a\n\n'],
  ['a field of answers', 'GET / HTTP/1.1\nSet-Cookie: a\n\n'],
  ['a name that every object has', 'GET / HTTP/1.1\nConstructor: a\n\n'],
  ['a name that is none of a field', 'GET / HTTP/1.1\n__proto__: a\n\n'],
  ['space before the colon', 'GET / HTTP/1.1\nHost : a\n\n'],
  ['more space than one', 'GET / HTTP/1.1\nHost:  a\n\n'],
  ['space behind a value', 'GET / HTTP/1.1\nHost: a \n\n'],
  ['a tab', 'GET / HTTP/1.1\nHost: a\tb\n\n'],
  ['a folded line', 'GET / HTTP/1.1\nHost: a\n b\n\n'],
  ['bytes beyond ASCII', 'GET / HTTP/1.1\nX: \xe4\n\n'],
  ['a NUL', 'GET / HTTP/1.1\nX: a\0b\n\n'],
  ['HTTP/1.0', 'GET / HTTP/1.0\n\n'],
  ['another method', 'PROPFIND / HTTP/1.1\n\n'],
  ['a method in lower case', 'get / HTTP/1.1\n\n'],
  ['an absolute target', 'GET https://a/ HTTP/1.1\n\n'],
  ['an asterisk', 'OPTIONS * HTTP/1.1\n\n'],
  ['a fragment', 'GET /#a HTTP/1.1\n\n'],
  ['an empty line before it', '\nGET / HTTP/1.1\n\n'],
  [
    'more fields than any client sends',
    `GET / HTTP/1.1\n${Array.from({ length: 70 }, (_, i) => `X${i}: a\n`).join('')}\n`,
  ],
  ['a head that is long', `GET /${'a'.repeat(9_000)} HTTP/1.1\n\n`],
])('%s is left to Node.js', (_, lines) => {
  expect(ours(lines.replaceAll('\n', '\r\n'))).toBeNull();
});

test('lines that end in LF alone are left to Node.js', () => {
  for (const text of ['GET / HTTP/1.1\n\n', 'GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n', 'GET / HTTP/1.1\r\nA: b\r\r\n\r\n'])
    expect(ours(text)).toBeNull();
});
