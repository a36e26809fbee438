/** Framing of HTTP/1: what two parsers could read as two different requests is refused, or re-framed. */
import { expect } from 'vitest';
import { connectRaw, eventually } from '../support/streams.ts';
import { connectHead } from '../support/tunnels.ts';
import { attack, cannotRun, get, openField, statusOf, type Field } from './field.ts';

const field = openField();

/**
 * The status of a POST with these field lines and this body, and that nothing but a whole request reached the origin.
 */
async function post({ send, at, far }: Field, fields: string, body: string, line = 'HTTP/1.1'): Promise<number> {
  far.forget();
  const name = at('ok.test');
  const answer = await send(`POST http://${name}/ ${line}\r\nHost: ${name}\r\n${fields}\r\n${body}`);
  return statusOf(answer);
}

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: deny.test\r\n\r\n';

function chunked(body: string): string {
  return `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

attack(
  field,
  51,
  'Two framings of one body: Content-Length with Transfer-Encoding, twice, as a list, signed, spaced, hexadecimal, too large',
  '400; nothing reaches the origin',
  async (here) => {
    const fields = [
      'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n',
      'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n',
      'Content-Length: 3\r\nContent-Length: 3\r\n',
      'Content-Length: 3\r\nContent-Length: 4\r\n',
      ...['3, 3', '+3', '0x3', '-3', '18446744073709551617', '3 3'].map((value) => `Content-Length: ${value}\r\n`),
      'Content-Length : 3\r\n',
      ...['xchunked', 'chunked, identity', 'identity', '\x0bchunked', 'chunked, chunked'].map(
        (value) => `Transfer-Encoding: ${value}\r\n`,
      ),
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
    ];
    for (const lines of fields) {
      expect(await post(here, lines, '0\r\n\r\n'), lines).toBe(400);
      expect(here.far.bytes(), lines).toBe('');
    }
  },
);

attack(
  field,
  52,
  '`Transfer-Encoding: gzip, chunked`, and any Transfer-Encoding in HTTP/1.0',
  '400; nothing reaches the origin',
  async (here) => {
    expect(await post(here, 'Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')).toBe(400);
    expect(await post(here, 'Transfer-Encoding: chunked\r\n', '0\r\n\r\n', 'HTTP/1.0')).toBe(400);
    expect(here.far.bytes()).toBe('');
  },
);

attack(
  field,
  53,
  'A chunked body on GET, HEAD, DELETE and OPTIONS that is itself a request for a denied host',
  'one framed request at the origin, with the body as its body',
  async (here) => {
    for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PROPFIND']) {
      here.far.forget();
      const url = `http://${here.at('ok.test')}/`;
      const head = get(url, undefined, 'Transfer-Encoding: chunked\r\nConnection: close\r\n').replace('GET', method);
      expect(statusOf(await here.send(head + chunked(smuggled))), method).toBe(200);
      expect(here.far.requests(), method).toEqual([`${method} ${here.at('ok.test')} /`]);
    }
  },
);

attack(
  field,
  54,
  'Folded lines, bare LF, bare CR, NUL, spaces and tabs in names, empty names, lines without a colon',
  '400; nothing reaches the origin',
  async (here) => {
    const name = here.at('ok.test');
    const line = `GET http://${name}/ HTTP/1.1\r\nHost: ${name}\r\n`;
    const strange = [
      `${line}A: b\r\n c\r\n\r\n`,
      `GET http://${name}/ HTTP/1.1\nHost: ${name}\n\n`,
      `${line}A: b\nC: d\r\n\r\n`,
      `${line}A: b\rC: d\r\n\r\n`,
      `${line}A: b\0c\r\n\r\n`,
      `${line}A b: c\r\n\r\n`,
      `${line}A\t: c\r\n\r\n`,
      `${line}A\u00a0: c\r\n\r\n`,
      `${line}: x\r\n\r\n`,
      `${line}no colon\r\n\r\n`,
      `${line}\r\r\n\r\n`,
    ];
    for (const bytes of strange) {
      expect(await here.status(Buffer.from(bytes, 'latin1')), JSON.stringify(bytes)).toBe(400);
      expect(await here.status(Buffer.from(bytes.replace(/^GET \S+/, 'CONNECT ok.test:443'), 'latin1')), bytes).toBe(
        400,
      );
      expect(here.far.bytes()).toBe('');
    }
  },
);

attack(
  field,
  55,
  'Chunks with extensions, LF ends, signs, 17 hexadecimal digits, no CRLF behind the data; trailers that route or frame',
  '400, or passed on re-framed without the extension and without such trailers',
  async (here) => {
    for (const body of ['-1\r\n', '0x3\r\nabc\r\n', 'fffffffffffffffff\r\n', '3\r\nabcX', '3\nabc\n0\n\n', 'g\r\n']) {
      expect([0, 400], JSON.stringify(body)).toContain(await post(here, 'Transfer-Encoding: chunked\r\n', body));
      expect(here.far.requests().length, body).toBeLessThanOrEqual(1);
    }
    const extended = `3;a="${'b'.repeat(20_000)}"\r\nabc\r\n0\r\n\r\n`;
    expect([0, 400, 413]).toContain(await post(here, 'Transfer-Encoding: chunked\r\n', extended));
    const trailers = '3\r\nabc\r\n0\r\nContent-Length: 5\r\nHost: deny.test\r\nAuthorization: sk-1\r\nX-Sum: 1\r\n\r\n';
    const fields = 'Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: close\r\n';
    expect([200, 400]).toContain(await post(here, fields, trailers));
    expect(here.far.bytes()).not.toMatch(/deny\.test|sk-1|content-length: 5/i);
  },
);

attack(
  field,
  56,
  'Other versions: HTTP/2.0, HTTP/1.2, HTTP/0.9, the preface of HTTP/2; tabs for spaces, lower-case methods, a NUL in the URI',
  '400 or 505; nothing reaches the origin',
  async (here) => {
    const name = here.at('ok.test');
    const lines = [
      `GET http://${name}/ HTTP/2.0`,
      `GET http://${name}/ HTTP/1.2`,
      `GET http://${name}/ HTTP/0.9`,
      `GET http://${name}/`,
      `GET\thttp://${name}/\tHTTP/1.1`,
      `get http://${name}/ HTTP/1.1`,
      `GET http://${name}/a b HTTP/1.1`,
      `GET http://${name}/a\0b HTTP/1.1`,
      'CONNECT ok.test:443 HTTP/2.0',
      'PRI * HTTP/2.0',
    ];
    for (const line of lines) {
      expect([400, 505], JSON.stringify(line)).toContain(await here.status(`${line}\r\nHost: ${name}\r\n\r\n`));
      expect(here.far.bytes()).toBe('');
    }
    expect([400, 505]).toContain(await here.status('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
  },
);

attack(
  field,
  57,
  '100 requests in one segment, every third for a denied host',
  'answers in order, each decided alone; a denial is the last of its connection',
  async (here) => {
    const allowed = get(`http://${here.at('ok.test')}/`);
    const client = await connectRaw(here.lab.proxyPort, allowed.repeat(20));
    await eventually('20 answers', () => (client.seen().match(/HTTP\/1\.1 200 /g)?.length ?? 0) === 20);
    client.socket.destroy();
    here.far.forget();
    const denied = get(`http://${here.at('deny.test')}/`);
    const mixed = await connectRaw(here.lab.proxyPort, allowed + allowed + denied + allowed.repeat(97));
    const { text } = await mixed.ended;
    expect(text.match(/HTTP\/1\.1 \d{3}/g)?.slice(0, 3)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 403']);
    expect(text.match(/HTTP\/1\.1 \d{3}/g)).toHaveLength(3);
  },
);

attack(
  field,
  58,
  'A denied POST of 1 GiB, and one that waits for `100 Continue`',
  '403 at once and without a 100; its body is never read as a request, and the connection ends',
  async (here) => {
    const url = `http://${here.at('deny.test')}/`;
    const post = (fields: string): string => get(url, undefined, fields).replace('GET', 'POST');
    const waiting = await here.send(post('Content-Length: 1073741824\r\nExpect: 100-continue\r\n'));
    expect(waiting).not.toContain('100 Continue');
    expect(statusOf(waiting)).toBe(403);
    const client = await connectRaw(here.lab.proxyPort, post('Content-Length: 1073741824\r\n'));
    client.write(get(`http://${here.at('ok.test')}/smuggled`));
    const { text } = await client.ended;
    expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 403']);
    expect(here.far.bytes()).not.toContain('smuggled');
  },
);

attack(
  field,
  59,
  'Methods nobody registered, registered ones beyond the usual, and a CONNECT with content',
  'registered ones go on, others are 400; a CONNECT with content is 400',
  async (here) => {
    const url = `http://${here.at('ok.test')}/`;
    for (const method of ['PROPFIND', 'REPORT', 'PURGE', 'M-SEARCH'])
      expect(await here.status(get(url, undefined, 'Connection: close\r\n').replace('GET', method)), method).toBe(200);
    expect(await here.status(get(url).replace('GET', 'FOO'))).toBe(400);
    for (const framing of ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n'])
      expect(await here.status(connectHead(here.at('ok.test'), framing)), framing).toBe(400);
  },
);

attack(
  field,
  213,
  'Forty CONNECT heads of 16 KB, nearly all of it spaces before a control character',
  '400 each, and nobody else has to wait',
  async (here) => {
    const head = connectHead(here.at('ok.test'), `X:${' '.repeat(16_000)}\0\r\n`);
    const answers = Array.from({ length: 40 }, () => here.status(head));
    const started = performance.now();
    expect(await here.status(get(`http://${here.at('ok.test')}/`, undefined, 'Connection: close\r\n'))).toBe(200);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([400]));
    // Read with a pattern that has two ways to take a space, they held everybody up for four seconds.
    expect(performance.now() - started).toBeLessThan(2_000);
  },
);

attack(
  field,
  60,
  'A URI of 16 KiB, 64 KiB, 1 MiB; 17 KiB of header fields',
  '431 (or 414), and the connection ends',
  async (here) => {
    const name = here.at('ok.test');
    for (const size of [17, 64, 1024]) {
      const bytes = `GET http://${name}/${'a'.repeat(size * 1024)} HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
      expect([414, 431], String(size)).toContain(await here.status(bytes));
    }
    const fields = `X-Long: ${'b'.repeat(17 * 1024)}\r\n`;
    expect(await here.status(get(`http://${name}/`, undefined, fields))).toBe(431);
    expect(await here.status(connectHead(name, fields))).toBe(431);
    expect(here.far.bytes()).toBe('');
  },
);

cannotRun(
  61,
  "The inputs of other projects' own suites, replayed",
  'not run: they are not ours to carry; their classes are the cases 51 to 60, and 62 mutates them',
);
