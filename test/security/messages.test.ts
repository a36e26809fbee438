/** Messages that two readers could understand in two ways, and answers that never begin. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { block, frame, frameClient, getBlock, type } from '../support/frames.ts';
import { connectRaw, exchange } from '../support/streams.ts';
import { http2Over, openTunnel } from '../support/tunnels.ts';
import { attack, get, openField, statusOf, testedIn, type Field } from './field.ts';

const vouching = { user_field: { name: 'X-Forwarded-User', trusted: ['127.0.0.2'] } };
const field = openField({ settings: { clients: vouching, tunnels: { idle_timeout: '5s' } } });

function post(name: string, fields: string, body: string): string {
  return `${get(`http://${name}/`, name, fields).replace('GET', 'POST')}${body}`;
}

function webSocket(name: string): string {
  return get(`http://${name}/`, name, 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n');
}

/** An origin that says these bytes to each head, and goes on with them for ever where it is `endless`. */
async function answering({ far }: Field, bytes: string, endless = false): Promise<void> {
  // What the proxy keeps open still speaks as before.
  for (const socket of far.open) socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 20));
  far.speakRaw((socket) => {
    const go = (): void => {
      while (!socket.destroyed && socket.write(bytes) && endless);
    };
    socket.on('end', () => socket.end()).once('data', go);
    if (endless) socket.on('drain', go);
  });
}

attack(
  field,
  150,
  'Framing in an odd spelling that is valid here: `chunKed`, a length of `0005`, to and from an origin',
  'it goes on in the one spelling that everybody reads alike',
  async (here) => {
    const name = here.at('ok.test');
    expect(await here.status(post(name, 'Transfer-Encoding: chunKed\r\n', '5\r\nhello\r\n0\r\n\r\n'))).toBe(200);
    expect(here.far.bytes()).toMatch(/transfer-encoding: chunked\r\n/);
    expect(await here.status(post(name, 'Content-Length: 0005\r\n', 'hello'))).toBe(200);
    expect(here.far.bytes()).toMatch(/content-length: 5\r\n/);
    expect(here.far.bytes()).not.toMatch(/chunKed|0005/);
    await answering(here, 'HTTP/1.1 200 OK\r\nContent-Length: 002\r\n\r\nok');
    expect(await here.send(get(`http://${name}/`))).toMatch(/^content-length: 2\r\n/im);
  },
);

attack(
  field,
  151,
  'An origin that sends 100, 102 and 103 without end and never an answer, to a request and to a WebSocket',
  '502 after a hundred of them, and the connection to the origin is closed; a few do no harm',
  async (here) => {
    const name = here.at('ok.test');
    const some =
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n';
    await answering(here, `${some.repeat(10)}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone`);
    expect(await exchange(here.lab.proxyPort, get(`http://${name}/`, name, 'Connection: close\r\n'))).toMatch(/done$/);
    for (const request of [get(`http://${name}/`), webSocket(name)]) {
      await answering(here, some.repeat(100), true);
      expect(await here.status(request)).toBe(502);
    }
  },
);

attack(
  field,
  152,
  'An origin that answers as HTTP/2.0, in chunks as HTTP/1.0, or switches a WebSocket to another protocol',
  '502, and nothing of what it says goes on',
  async (here) => {
    const name = here.at('ok.test');
    const cases = [
      [get(`http://${name}/`), 'HTTP/2.0 200 OK\r\nContent-Length: 9\r\n\r\npoisonous'],
      [get(`http://${name}/`), 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\npoisonous\r\n0\r\n\r\n'],
      [webSocket(name), 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\npoisonous'],
    ] as const;
    for (const [request, bytes] of cases) {
      await answering(here, bytes);
      const answer = await exchange(here.lab.proxyPort, request);
      expect(statusOf(answer), bytes).toBe(502);
      expect(answer).not.toContain('poisonous');
    }
  },
);

attack(
  field,
  153,
  'As trailer fields: what `Connection` names, and the field in which a trusted proxy names the user',
  'they go no further; other trailer fields do',
  async (here) => {
    const trailers = 'X-Secret: 1\r\nX-Forwarded-User: eve\r\nX-Checksum: 2\r\n';
    const fields = 'Connection: X-Secret\r\nTransfer-Encoding: chunked\r\n';
    const name = here.at('ok.test');
    expect(await here.status(post(name, fields, `5\r\nhello\r\n0\r\n${trailers}\r\n`))).toBe(200);
    expect(here.far.bytes()).toMatch(/\r\n0\r\nX-Checksum: 2\r\n\r\n$/);
    await answering(
      here,
      'HTTP/1.1 200 OK\r\nConnection: X-Secret\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Secret: 1\r\nX-T: 1\r\n\r\n',
    );
    const answer = await exchange(here.lab.proxyPort, get(`http://${name}/`, name, 'Connection: close\r\n'));
    expect(answer).toMatch(/ok\r\n0\r\nX-T: 1\r\n\r\n$/);
  },
);

attack(
  field,
  154,
  'HTTP/2 with another `:scheme`, a fragment in `:path`, an Expect that nobody knows, a CONNECT to another host',
  '421, 400 or the denial, and each is in the record',
  async (here) => {
    const authority = here.at('deny.test');
    const other = (name: string, value: string): Buffer =>
      block(
        [
          [':method', 'GET'],
          [':scheme', 'https'],
          [':path', '/'],
          [':authority', authority],
        ].map(([one = '', usual = '']) => [one, one === name ? value : usual] as const),
      );
    const heads = [
      other(':scheme', 'ftp'),
      other(':scheme', 'http'),
      other(':path', '/a#b'),
      getBlock(authority, [['expect', 'miracles']]),
      block([
        [':method', 'CONNECT'],
        [':authority', 'other.test:443'],
      ]),
    ];
    const lines = await here.logged(heads.length, async () => {
      const client = await frameClient(here.lab, authority, 'deny.test');
      for (const [i, head] of heads.entries()) client.write(frame(type.headers, 5, 1 + 2 * i, head));
      while (client.frames().filter(([kind]) => kind === type.headers).length < heads.length) await sleep(10);
      client.close();
    });
    const errors = lines.map(({ sallyport }) => sallyport['error']).filter((error) => error !== undefined);
    expect(errors.sort()).toEqual([
      'malformed_request',
      'malformed_request',
      'misdirected_request',
      'misdirected_request',
    ]);
  },
);

attack(
  field,
  155,
  'An HTTP/2 client that goes on uploading without end after it has its answer',
  'RST_STREAM with NO_ERROR within seconds; the answer is read before',
  async (here) => {
    const session = await http2Over(
      await openTunnel(here.lab.proxyPort, here.at('deny.test')),
      here.lab.ca,
      'deny.test',
    );
    const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': here.at('deny.test') });
    let status = 0;
    stream.on('response', (head) => (status = head[':status'] ?? 0)).resume();
    const closed = new Promise<number>((resolve) => stream.once('close', () => resolve(stream.rstCode)));
    const upload = setInterval(() => stream.writable && stream.write(Buffer.alloc(1_000)), 5);
    expect(await closed).toBe(0);
    clearInterval(upload);
    expect(status).toBe(403);
    session.destroy();
  },
);

testedIn(
  156,
  'The access log is deleted while it is written, or its folder is taken away',
  'the file is made again by the next lines; without the folder they count as lost, and one message says so',
  'record/destinations.test.ts',
);

testedIn(
  157,
  'Password hashes of unequal cost, which would tell by time who is there, and hashes that take seconds or GiB',
  'a stranger takes as long as somebody does; hashes that are too dear are refused with their line',
  'identify/passwords.test.ts',
  'config/password-file.test.ts',
);

testedIn(
  158,
  'A pipe, a device without end or gigabytes in the place of a file that is read again while clients are served',
  'one line that says so; what was in force stays, and nobody waits',
  'read-whole.test.ts',
);

testedIn(
  159,
  'JSON for the API with a key twice, of which one reader takes the first and another the last',
  '400 with the key; nothing changes',
  'admin/json.test.ts',
  'admin/exceptions-api.test.ts',
);

testedIn(
  160,
  'One machine that holds all connections which the pages port takes',
  'it gets a quarter of them; who is sent to the pages still sees them',
  'admin/http-server.test.ts',
);

testedIn(
  161,
  'One of several workers that hangs, or is stopped: clients whose connections it has wait for ever',
  'it is killed within 35 seconds, and another takes its place; one after a machine that stood still is not',
  'workers/worker-pool.test.ts',
);

attack(
  field,
  162,
  'An HPACK bomb: each HTTP/2 request names one field of 4 KB two hundred times, in 300 bytes',
  '431; a client that never acknowledges our limit is held to it as well',
  async (here) => {
    const authority = here.at('deny.test');
    const value = Buffer.alloc(4_000, 'a');
    // RFC 7541, section 6.2.1: a literal that goes into the table; its length takes three bytes.
    const kept = Buffer.concat([Buffer.from('\x40\x03x-b\x7f\xa1\x1e', 'latin1'), value]);
    const lines = await here.logged(11, async () => {
      const client = await frameClient(here.lab, authority, 'deny.test');
      client.write(frame(type.headers, 5, 1, Buffer.concat([getBlock(authority), kept])));
      const bomb = Buffer.concat([getBlock(authority), Buffer.alloc(190, 0xbe)]);
      for (let i = 1; i <= 10; i += 1) client.write(frame(type.headers, 5, 1 + 2 * i, bomb));
      while (client.frames().filter(([kind]) => kind === type.headers).length < 11) await sleep(10);
      client.close();
    });
    expect(lines.filter(({ sallyport }) => sallyport['error'] === 'header_too_large')).toHaveLength(10);
  },
);

attack(
  field,
  163,
  'An origin that resets the connection in an answer whose end nothing but that of the connection tells',
  'the client sees a cut answer, never one that looks whole',
  async (here) => {
    const name = here.at('ok.test');
    for (const socket of here.far.open) socket.destroy();
    await sleep(20);
    here.far.speakRaw((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\nhalf');
        setTimeout(() => socket.resetAndDestroy(), 50);
      });
    });
    for (const version of ['1.0', '1.1']) {
      const request = get(`http://${name}/`, name, 'Connection: close\r\n').replace('HTTP/1.1', `HTTP/${version}`);
      const client = await connectRaw(here.lab.proxyPort, request);
      const { how, text } = await client.ended;
      expect(text).toContain('half');
      expect(how).toBe('reset');
    }
  },
);

testedIn(
  164,
  'Escape sequences of terminals in user names of a log that an operator has replayed',
  'they are shown, and nothing is done by them',
  'cli/simulate.test.ts',
);
