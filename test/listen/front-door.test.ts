import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createFrontDoor, type FrontDoor, type Speaker } from '../../src/listen/front-door.ts';
import { connectRaw, eventually, exchange } from '../support/streams.ts';
import { startWired } from '../support/wiring.ts';

interface Door extends FrontDoor {
  readonly port: number;
  readonly rejected: string[];
}

async function openDoor(
  speakers: readonly Speaker[],
  limits: { readonly maxConnections?: number; readonly headTimeout?: number } = {},
): Promise<Door> {
  const rejected: string[] = [];
  const door = createFrontDoor({
    speakers,
    maxConnections: 100,
    headTimeout: 5_000,
    ...limits,
    reject: (socket, _origin, code) => {
      rejected.push(code);
      socket.end(code);
    },
  });
  const { port } = await door.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => {
    door.stop();
    door.destroy();
  });
  return { ...door, port, rejected };
}

/** Speaks words of four letters and a full stop: `echo.` and what follows comes back. */
function wordSpeaker(word: string): Speaker {
  const whole = `${word}.`;
  return {
    name: word,
    recognises: (bytes) => {
      const text = bytes.toString('latin1', 0, word.length);
      if (!word.startsWith(text)) return 'no';
      return text === word ? 'yes' : 'more';
    },
    serve: (socket, bytes) => {
      if (!bytes.includes('.')) return 'more';
      socket.unshift(bytes.subarray(whole.length));
      socket.write(`${word}:`);
      socket.pipe(socket);
      return 'taken';
    },
  };
}

const speakers = [wordSpeaker('echo'), wordSpeaker('ecru')];

test.each(['echo', 'ecru'])(
  '%s is told from the other, in one piece and byte by byte, and no byte is lost',
  async (word) => {
    const door = await openDoor(speakers);
    const whole = await connectRaw(door.port, `${word}.abc`);
    await whole.until(`${word}:abc`);
    const split = await connectRaw(door.port);
    for (const letter of `${word}.xyz`) split.write(letter);
    await split.until(`${word}:xyz`);
    split.write('later');
    await split.until(`${word}:xyzlater`);
    expect(door.rejected).toEqual([]);
  },
);

test.each(['\x16\x03\x01', '\0', 'echx', 'z', 'ec\r\n'])('%j is nobody to speak with', async (bytes) => {
  const door = await openDoor(speakers);
  expect(await exchange(door.port, bytes)).toBe('malformed_request');
  await eventually('no connection', () => door.connections() === 0);
});

test('what is written in small pieces does not wait for the acknowledgement of the piece before', async () => {
  let accepted: Socket | undefined;
  const speaker: Speaker = {
    name: 'any',
    recognises: () => 'yes',
    serve(socket) {
      accepted = socket;
      socket.on('data', () => socket.write('pong'));
      socket.resume();
      return 'taken';
    },
  };
  const door = await openDoor([speaker]);
  const client = await connectRaw(door.port, 'hello');
  await eventually('somebody speaks with it', () => accepted !== undefined);
  // Who asks and is answered acknowledges late, together with what it says next (RFC 9293, section 3.8.6.3).
  for (let asked = 1; asked <= 30; asked += 1) {
    client.write('ping');
    await client.until('pong'.repeat(asked));
  }
  const waits: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const piece = `<${round}>`;
    const started = performance.now();
    accepted?.write('first');
    await client.until(/first$/);
    accepted?.write(piece);
    await client.until(piece);
    client.write('ping');
    await client.until(new RegExp(`${piece}pong$`));
    waits.push(performance.now() - started);
  }
  // Linux waits for 40 ms with an acknowledgement, most of the time.
  expect(waits.sort((a, b) => a - b)[2]).toBeLessThan(20);
});

test('the deadline for the first words is absolute', async () => {
  const door = await openDoor(speakers, { headTimeout: 300 });
  const silent = await connectRaw(door.port);
  const slow = await connectRaw(door.port, 'echo');
  const trickle = setInterval(() => slow.write('o'), 50);
  onTestFinished(() => clearInterval(trickle));
  const started = performance.now();
  expect((await silent.ended).text).toBe('request_timeout');
  expect((await slow.ended).text).toBe('request_timeout');
  expect(performance.now() - started).toBeLessThan(2_000);
  expect(door.rejected).toEqual(['request_timeout', 'request_timeout']);
});

test('who was taken is past the deadline', async () => {
  const door = await openDoor(speakers, { headTimeout: 100 });
  const taken = await connectRaw(door.port, 'echo.');
  const late = await connectRaw(door.port);
  await late.ended;
  taken.write('still here');
  await taken.until('echo:still here');
});

test('more connections than the limit are turned away, and there is room again when one goes', async () => {
  const door = await openDoor(speakers, { maxConnections: 2 });
  const first = await connectRaw(door.port, 'echo.');
  await connectRaw(door.port, 'echo.').then((client) => client.until('echo:'));
  await first.until('echo:');
  expect(await exchange(door.port, '')).toBe('connection_limit');
  first.socket.destroy();
  await eventually('one connection', () => door.connections() === 1);
  await connectRaw(door.port, 'echo.again').then((client) => client.until('echo:again'));
});

test('a peer that leaves without a word gets a FIN back, one that leaves in the middle of a head is told', async () => {
  const door = await openDoor(speakers);
  for (const begun of ['', 'ec', 'echo']) {
    const client = await connectRaw(door.port);
    client.socket.end(begun);
    expect(await client.ended).toEqual({ how: 'fin', text: begun === '' ? '' : 'malformed_request' });
  }
  await eventually('no connection', () => door.connections() === 0);
  expect(door.rejected).toEqual(['malformed_request', 'malformed_request']);
});

test('a reset at any moment ends that connection only', async () => {
  const { port, connections } = await startWired({ hosts: {} });
  const head = 'CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test:443\r\n\r\n';
  const request = 'POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 5\r\n\r\nab';
  const sockets: Socket[] = [];
  for (const text of [head, request]) {
    for (let cut = 0; cut <= text.length; cut += 3) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.once('connect', () => socket.write(text.slice(0, cut), () => socket.resetAndDestroy()));
      if (cut === 0) socket.once('connect', () => socket.resetAndDestroy());
      sockets.push(socket);
    }
  }
  await eventually('all gone', () => connections() === 0 && sockets.every((socket) => socket.destroyed));
  expect(await exchange(port, 'GET / HTTP/1.1\r\n\r\n')).toContain('not_a_proxy_request');
});

test('an address in use is an error of listen, and the door can be closed all the same', async () => {
  const first = await openDoor(speakers);
  const second = createFrontDoor({ speakers, maxConnections: 1, headTimeout: 1_000, reject: () => undefined });
  await expect(second.listen({ host: '127.0.0.1', port: first.port })).rejects.toThrow('EADDRINUSE');
  second.stop();
  second.destroy();
});

test('stop lets open connections be, destroy resets them', async () => {
  const door = await openDoor(speakers);
  const client = await connectRaw(door.port, 'echo.');
  await client.until('echo:');
  door.stop();
  door.stop();
  client.write('on');
  await client.until('echo:on');
  await expect(connectRaw(door.port)).rejects.toThrow('ECONNREFUSED');
  door.destroy();
  expect((await client.ended).how).toBe('reset');
});
