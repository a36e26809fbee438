/** Hostile and broken origins: what cannot be a whole answer never looks like one. */
import type { Socket } from 'node:net';
import { expect } from 'vitest';
import { closedPort } from '../support/origins.ts';
import { connectRaw, eventually } from '../support/streams.ts';
import { attack, get, openField, statusOf, type Field } from './field.ts';

const field = openField({
  settingsFor: () => ({
    outbound: { hosts: { '*.test': '127.0.0.1' }, allow: ['*.test'], connect_timeout: '1s' },
    tunnels: { idle_timeout: '2s' },
  }),
});

/** Says these bytes to every request, and then ends, resets or stays. */
async function says(
  { far }: Pick<Field, 'far'>,
  bytes: string | Buffer,
  then: 'end' | 'reset' | 'stay' = 'end',
): Promise<void> {
  // Connections that are kept would go on with the answers of before.
  for (const socket of far.open) socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 20));
  far.speakRaw((socket: Socket) => {
    socket.once('data', () => {
      if (bytes.length > 0) socket.write(bytes);
      if (then === 'end') socket.end();
      else if (then === 'reset') setTimeout(() => socket.resetAndDestroy(), 50);
    });
  });
}

function ask({ lab, at }: Field, path = '/'): ReturnType<typeof connectRaw> {
  return connectRaw(lab.proxyPort, get(`http://${at('ok.test')}${path}`));
}

attack(
  field,
  71,
  'An origin that refuses, is silent, resets before or in its answer, or ends before its Content-Length',
  '502 or 504 with the error in Proxy-Status, or a cut answer; never one that looks whole',
  async (here) => {
    const refused = await here.send(get(`http://ok.test:${await closedPort()}/`));
    expect(statusOf(refused)).toBe(502);
    expect(refused).toMatch(/^proxy-status: sallyport; error=connection_refused/im);
    await says(here, '', 'reset');
    const before = (await (await ask(here)).ended).text;
    expect(statusOf(before)).toBe(502);
    expect(before).toMatch(/^proxy-status: .*connection_terminated/im);
    for (const then of ['end', 'reset'] as const) {
      await says(here, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', then);
      const { how, text } = await (await ask(here)).ended;
      expect([how, statusOf(text)], then).toEqual(['reset', 200]);
    }
    await says(here, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', 'end');
    expect((await (await ask(here)).ended).how).toBe('reset');
    await says(here, '', 'stay');
    const silent = (await (await ask(here)).ended).text;
    expect(statusOf(silent)).toBe(504);
  },
);

attack(
  field,
  72,
  'Answers with two framings, broken chunks, bare LF, folded lines, 20 KiB of fields, HTTP/0.9, garbage, unknown codings',
  '502, and the connection to the origin is not used again',
  async (here) => {
    const answers = [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello',
      `HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(20 * 1024)}\r\n\r\n`,
      'hello',
      '\x00\x01\x02\x03',
      'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello',
      'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 5\r\n\r\nhello',
      'HTTP/1.1 abc OK\r\n\r\n',
      'SSH-2.0-OpenSSH_9.2\r\n',
    ];
    for (const bytes of answers) {
      await says(here, bytes, 'stay');
      const text = await here.send(get(`http://${here.at('ok.test')}/`));
      expect(statusOf(text), JSON.stringify(bytes.slice(0, 60))).toBe(502);
    }
    await says(here, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 'stay');
    const { how, text } = await (await ask(here)).ended;
    expect(how === 'reset' || statusOf(text) === 502).toBe(true);
  },
);

attack(
  field,
  73,
  '204, 304 and HEAD with a body; 103 before 200; a 100 nobody asked for; two answers to one request',
  'the right boundary; bytes to spare never reach the next client',
  async (here) => {
    const spare = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned';
    for (const status of ['204 No Content', '304 Not Modified']) {
      await says(here, `HTTP/1.1 ${status}\r\n\r\n${spare}`, 'stay');
      const first = await here.send(get(`http://${here.at('ok.test')}/`));
      expect(first).not.toContain('poisoned');
      await says(here, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean', 'stay');
      const next = await ask(here);
      expect(await next.until('clean')).not.toContain('poisoned');
      next.socket.destroy();
    }
    await says(here, `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst${spare}`, 'stay');
    const twice = await ask(here);
    expect(await twice.until('first')).not.toContain('poisoned');
    twice.socket.destroy();
    await says(
      here,
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast',
      'stay',
    );
    const hinted = await ask(here);
    expect(await hinted.until('last')).toContain('HTTP/1.1 200 OK');
    hinted.socket.destroy();
    await says(here, 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast', 'stay');
    const unasked = await ask(here);
    await unasked.until('last');
    unasked.socket.destroy();
  },
);

attack(
  field,
  74,
  'A fast origin and a client that does not read, and the reverse',
  'back-pressure: the origin is stopped, and the memory of the proxy does not follow',
  async (here) => {
    let sent = 0;
    for (const socket of here.far.open) socket.destroy();
    here.far.speakRaw((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n');
        const block = Buffer.alloc(1 << 20);
        const more = (): void => {
          while (!socket.destroyed && sent < 1 << 30) {
            sent += block.length;
            if (!socket.write(block)) {
              socket.once('drain', more);
              return;
            }
          }
        };
        more();
      });
    });
    const client = await ask(here);
    await client.until('HTTP/1.1 200');
    client.socket.pause();
    // What fits into buffers is sent; then nothing more is.
    let still = 0;
    while (still < 5) {
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
      still = sent === before ? still + 1 : 0;
    }
    expect(sent).toBeLessThan(48 << 20);
    client.socket.destroy();
    await eventually('the origin is let go', () => here.far.open.size === 0);
  },
);

attack(
  field,
  75,
  'A compressed bomb from an allowed origin',
  'passed on as it is: nothing is ever inflated here',
  async (here) => {
    const body = Buffer.alloc(10_000, 0x1f);
    here.far.answerWith((_req, res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end(body));
    const client = await connectRaw(
      here.lab.proxyPort,
      get(`http://${here.at('ok.test')}/`, undefined, 'Accept-Encoding: gzip\r\nConnection: close\r\n'),
    );
    const { text } = await client.ended;
    expect(text).toMatch(/^content-encoding: gzip\r$/im);
    expect(text).toContain(body.toString('latin1'));
  },
);
