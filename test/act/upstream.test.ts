import { connect, createServer, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { createDestinations } from '../../src/act/destinations.ts';
import { createDialler, type Dialler } from '../../src/act/upstream.ts';
import { SallyportError } from '../../src/errors.ts';
import type { Hostname, Target } from '../../src/flow.ts';
import { eventually, tcpOrigin } from '../support/streams.ts';

const target = (port: number, host = 'ok.test'): Target => ({ host: host as Hostname, kind: 'name', port });

interface Counted extends Dialler {
  readonly asked: () => number;
}

function dialler(addresses: readonly string[], connectTimeout = 5_000, allow = ['127.0.0.0/8']): Counted {
  let asked = 0;
  const resolve = (): readonly string[] => {
    asked += 1;
    return addresses;
  };
  const destinations = createDestinations({
    ports: [],
    allow: [
      { match: 'host', value: 'ports.test', port: null },
      ...allow.map((value) => ({ match: 'cidr', value, port: null }) as const),
    ],
    own: () => [],
  });
  const open = { ...destinations, portProblem: (to: Target) => (to.port === 22 ? 'port 22' : null) };
  const { dial } = createDialler({ resolver: { resolve }, destinations: open, connectTimeout });
  return { dial, asked: () => asked };
}

async function code(dial: Promise<unknown>): Promise<string> {
  try {
    await dial;
    return 'connected';
  } catch (error) {
    if (error instanceof SallyportError) return error.code;
    throw error;
  }
}

/** A port whose accept queue is full, so that the kernel answers no further SYN. */
async function blackhole(): Promise<number> {
  const child = createServer();
  await new Promise<void>((resolve) => child.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, resolve));
  const { port } = child.address() as AddressInfo;
  onTestFinished(() => void child.close());
  return port;
}

test('connects to the address that was checked, with one lookup', async () => {
  const origin = await tcpOrigin(() => undefined);
  const { dial, asked } = dialler(['127.0.0.1']);
  const socket = await dial(target(origin.port), new PassThrough());
  onTestFinished(() => void socket.destroy());
  expect(socket.remoteAddress).toBe('127.0.0.1');
  expect(socket.allowHalfOpen).toBe(true);
  expect(asked()).toBe(1);
});

test('of several addresses a working one is taken, and prohibited ones are not tried', async () => {
  const origin = await tcpOrigin(() => undefined);
  const { dial } = dialler(['10.0.0.1', '127.0.0.2', '127.0.0.1', '::1']);
  const socket = await dial(target(origin.port), new PassThrough());
  onTestFinished(() => void socket.destroy());
  expect(socket.remoteAddress).toBe('127.0.0.1');
});

test.each([[['127.0.0.1']], [['127.0.0.1', '127.0.0.2']]])(
  'nobody at %j is a refused connection',
  async (addresses) => {
    const origin = await tcpOrigin(() => undefined);
    const { port } = origin;
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.3', resolve));
    const free = (gone.address() as AddressInfo).port;
    await new Promise((resolve) => gone.close(resolve));
    expect(free).not.toBe(port);
    expect(await code(dialler(addresses).dial(target(free), new PassThrough()))).toBe('connection_refused');
  },
);

test.each([
  [['10.0.0.1']],
  [['::ffff:10.0.0.1']],
  [['64:ff9b::a00:1']],
  [['169.254.169.254']],
  [['127.0.0.1\0.ok.test']],
  [['2130706433']],
  [[]],
])('addresses %j are prohibited', async (addresses) => {
  const { dial } = dialler(addresses);
  expect(await code(dial(target(80), new PassThrough()))).toBe('destination_prohibited');
});

test('a prohibited port is refused before the name is looked up', async () => {
  const { dial, asked } = dialler(['127.0.0.1']);
  expect(await code(dial(target(22), new PassThrough()))).toBe('port_prohibited');
  expect(asked()).toBe(0);
});

test('a client that is gone before the dial, or during it, ends it', async () => {
  const origin = await tcpOrigin(() => undefined);
  const gone = new PassThrough();
  gone.destroy();
  expect(await code(dialler(['127.0.0.1']).dial(target(origin.port), gone))).toBe('client_closed');
  const going = new PassThrough();
  const dialled = code(dialler(['127.0.0.1']).dial(target(origin.port), going));
  going.destroy();
  expect(['client_closed', 'connected']).toContain(await dialled);
  await eventually('nothing stays open', () => origin.open.size === 0);
});

test('an origin whose kernel does not answer is a timeout, and a client that goes meanwhile ends the wait', async () => {
  const port = await blackhole();
  // The listener belongs to this process, which is kept busy: fill its queue without letting it accept.
  const fillers = Array.from({ length: 8 }, () => connect(port, '127.0.0.1'));
  for (const filler of fillers) filler.on('error', () => undefined);
  onTestFinished(() => fillers.forEach((filler) => filler.destroy()));
  const started = performance.now();
  const outcome = await code(dialler(['127.0.0.1'], 300).dial(target(port), new PassThrough()));
  if (outcome === 'connection_timeout') expect(performance.now() - started).toBeLessThan(3_000);
  else expect(outcome).toBe('connected');
});

test('a reset of a dialled connection that nobody has taken yet is no uncaught error', async () => {
  const origin = await tcpOrigin((socket) => socket.resetAndDestroy());
  const socket = await dialler(['127.0.0.1'])
    .dial(target(origin.port), new PassThrough())
    .catch(() => null);
  if (socket !== null) await eventually('the reset', () => socket.destroyed);
});

test('goes only to addresses that the attempt may reach, and to none where it may reach none', async () => {
  const origin = await tcpOrigin(() => undefined);
  const { dial } = dialler(['127.0.0.2', '127.0.0.1']);
  const socket = await dial(target(origin.port), new PassThrough(), { mayReach: (address) => address === '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  expect(socket.remoteAddress).toBe('127.0.0.1');
  const denied = dial(target(origin.port), new PassThrough(), { mayReach: () => false });
  expect(await code(denied)).toBe('destination_prohibited');
  expect(origin.taken()).toBe(1);
});
