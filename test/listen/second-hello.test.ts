import { expect, test } from 'vitest';
import type { Hostname } from '../../src/flow.ts';
import { createHelloWatch } from '../../src/listen/second-hello.ts';
import { alpn, framed, helloMessage, serverNames } from '../support/hellos.ts';

const ccs = Buffer.from([20, 3, 3, 0, 1, 1]);
const early = Buffer.concat([Buffer.from([23, 3, 3, 0, 40]), Buffer.alloc(40, 22)]);
const nothing = Buffer.alloc(0);

function serverHello(random: Buffer): Buffer {
  return framed(Buffer.concat([Buffer.from([2, 0, 0, 44, 3, 3]), random, Buffer.alloc(10)]), 16_384, 0x0303);
}
const retry = serverHello(Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex'));
const other = serverHello(Buffer.alloc(32, 0xcf));

function helloFor(name: string | null): Buffer {
  return framed(helloMessage(name === null ? [alpn('h2')] : [alpn('h2'), serverNames([0, name])]));
}

function watchOf(bytes: Buffer, name: string | null): ReturnType<typeof createHelloWatch> {
  const serverName = name === null ? null : ({ host: name as Hostname, kind: 'name', port: 443 } as const);
  const watch = createHelloWatch(serverName);
  expect(watch.fromClient(bytes)).toEqual(bytes);
  return watch;
}

test('an answer that asks for no other hello ends the watch, also in single bytes', () => {
  for (const step of [1, 20, 100]) {
    const watch = watchOf(helloFor('ok.test'), 'ok.test');
    for (let at = 0; at < 43; at += step) {
      expect(watch.over()).toBe(false);
      watch.fromServer(other.subarray(at, at + step));
    }
    expect(watch.over()).toBe(true);
  }
});

test('an alert or words that are no TLS end it at once', () => {
  for (const bytes of [Buffer.from([21, 3, 3, 0, 2, 2, 40]), Buffer.from('220 mail')]) {
    const watch = watchOf(helloFor('ok.test'), 'ok.test');
    expect(watch.fromServer(bytes)).toEqual(nothing);
    expect(watch.over()).toBe(true);
  }
});

test.each([
  ['ok.test', 'ok.test', true],
  ['ok.test', 'OK.test.', true],
  ['ok.test', 'deny.test', false],
  ['ok.test', null, false],
  ['ok.test', '127.0.0.1', false],
  [null, null, true],
  [null, 'deny.test', false],
])('asked again after %s, %s may go on: %s', (first, second, may) => {
  for (const before of [nothing, ccs, early, Buffer.concat([early, ccs])]) {
    for (const step of [1, 7, 1_000]) {
      const watch = watchOf(helloFor(first), first);
      expect(watch.fromServer(retry)).toBe(null);
      expect(watch.over()).toBe(false);
      const bytes = Buffer.concat([before, helloFor(second)]);
      const passed: (Buffer | null)[] = [];
      for (let at = 0; at < bytes.length && !watch.over(); at += step)
        passed.push(watch.fromClient(bytes.subarray(at, at + step)));
      expect(watch.over()).toBe(true);
      expect(passed.includes(null)).toBe(!may);
      const sent = Buffer.concat(passed.map((part) => part ?? nothing));
      expect(sent).toEqual(may ? bytes : before.subarray(0, sent.length));
    }
  }
});

test('a second hello is read before it was asked for, with the first one or behind it', () => {
  const hello = helloFor('ok.test');
  for (const between of [nothing, ccs, early]) {
    const behind = Buffer.concat([between, helloFor('deny.test')]);
    expect(watchOf(hello, 'ok.test').fromClient(behind)).toBe(null);
    const both = Buffer.concat([hello, behind]);
    const serverName = { host: 'ok.test' as Hostname, kind: 'name', port: 443 } as const;
    expect(createHelloWatch(serverName).fromClient(both)).toBe(null);
  }
});

test('nothing may stand behind a hello in its own record', () => {
  const message = helloMessage([serverNames([0, 'ok.test'])]);
  const bytes = framed(Buffer.concat([message, helloMessage([serverNames([0, 'deny.test'])])]));
  const serverName = { host: 'ok.test' as Hostname, kind: 'name', port: 443 } as const;
  expect(createHelloWatch(serverName).fromClient(bytes)).toBe(null);
});

test('what was held is given back when the server asks for nothing', () => {
  const watch = watchOf(helloFor('ok.test'), 'ok.test');
  expect(watch.fromClient(Buffer.from([20, 3]))).toEqual(nothing);
  expect(watch.fromServer(other)).toEqual(Buffer.from([20, 3]));
  const begun = watchOf(helloFor('ok.test'), 'ok.test');
  expect(begun.fromClient(Buffer.from([22, 3, 3]))).toEqual(nothing);
  expect(begun.fromServer(other)).toEqual(Buffer.from([22, 3, 3]));
});

test('a first hello in records of one byte', () => {
  const bytes = framed(helloMessage([serverNames([0, 'ok.test'])]), 1);
  const watch = watchOf(bytes, 'ok.test');
  expect(watch.fromClient(early)).toEqual(early);
  expect(watch.fromClient(helloFor('deny.test'))).toBe(null);
});

test.each([
  ['a letter', Buffer.from('p')],
  ['a type of no record', Buffer.from([25, 3, 3, 0, 1])],
  ['a record of a version that is none, and of no hello,', Buffer.from([22, 4, 1, 0, 1, 77])],
])('%s behind the hello is no TLS: it goes on, and the watch is over', (_what, bytes) => {
  const watch = watchOf(helloFor('ok.test'), 'ok.test');
  expect(watch.fromClient(bytes)).toEqual(bytes);
  expect(watch.over()).toBe(true);
});

test.each([
  ['of a version that is none', Buffer.from([22, 4, 1, 0, 1, 1])],
  ['that is too long', Buffer.from([22, 3, 3, 0x48, 1, 1])],
])('a record %s behind the hello, as for another one, does not go on', (_what, bytes) => {
  expect(watchOf(helloFor('ok.test'), 'ok.test').fromClient(bytes)).toBe(null);
});

test('a second hello is found behind a record of any version and length', () => {
  const watch = watchOf(helloFor('ok.test'), 'ok.test');
  const other = Buffer.alloc(5 + 0x4801, 'x');
  other.set([23, 9, 9, 0x48, 1]);
  expect(watch.fromClient(other)).toEqual(other);
  expect(watch.over()).toBe(false);
  expect(watch.fromClient(helloFor('deny.test'))).toBe(null);
});
