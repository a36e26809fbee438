/** ClientHellos: caught from real TLS clients, built by hand, and put into records anew. */
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

/** Runs a client against a port that takes its first flight and then closes; gives the bytes. */
function caught(start: (port: number) => { readonly stop: () => void }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      const chunks: Buffer[] = [];
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        if (!isWhole(bytes)) return;
        socket.destroy();
        server.close();
        client.stop();
        resolve(bytes);
      });
    });
    server.once('error', reject);
    let client = { stop: (): void => undefined };
    server.listen(0, '127.0.0.1', () => {
      client = start((server.address() as AddressInfo).port);
    });
  });
}

/** Real clients fill their records, so that the last record ends the flight. */
function isWhole(bytes: Buffer): boolean {
  let at = 0;
  while (at + 5 <= bytes.length) at += 5 + bytes.readUInt16BE(at + 3);
  return at === bytes.length && messageOf(bytes).length >= 4 && messageOf(bytes).length === lengthOf(bytes);
}

function lengthOf(records: Buffer): number {
  return messageOf(records).readUIntBE(1, 3) + 4;
}

export function helloOfNode(options: ConnectionOptions): Promise<Buffer> {
  return caught((port) => {
    const socket = connectTls({ ...options, port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    return { stop: () => void socket.destroy() };
  });
}

export function helloOfOpenssl(...args: readonly string[]): Promise<Buffer> {
  return caught((port) => {
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], { stdio: 'ignore' });
    return { stop: () => void child.kill() };
  });
}

/** The handshake bytes in records. */
export function messageOf(records: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 5 <= records.length; at += 5 + records.readUInt16BE(at + 3))
    parts.push(records.subarray(at + 5, at + 5 + records.readUInt16BE(at + 3)));
  return Buffer.concat(parts);
}

/** Puts handshake bytes into records of at most `size` bytes. */
export function framed(message: Buffer, size = 16_384, version = 0x0301): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const body = message.subarray(at, at + size);
    const head = Buffer.from([22, version >> 8, version & 255, 0, 0]);
    head.writeUInt16BE(body.length, 3);
    parts.push(head, body);
  }
  return Buffer.concat(parts);
}

/** A server's answer to a first hello: another one, for another group (RFC 8446, section 4.1.4). */
export const helloRetryRequest = framed(
  Buffer.concat([
    Buffer.from([2, 0, 0, 44, 3, 3]),
    Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex'),
    Buffer.alloc(10),
  ]),
);

function prefixed(size: number, body: Buffer): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(body.length, 0, size);
  return Buffer.concat([length, body]);
}

export function extension(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 255]), prefixed(2, body)]);
}

/** A server_name extension with entries of `[type, name]`. */
export function serverNames(...entries: readonly (readonly [number, string | Buffer])[]): Buffer {
  const list = entries.map(([type, name]) => Buffer.concat([Buffer.from([type]), prefixed(2, Buffer.from(name))]));
  return extension(0, prefixed(2, Buffer.concat(list)));
}

export function alpn(...names: readonly string[]): Buffer {
  return extension(16, prefixed(2, Buffer.concat(names.map((name) => prefixed(1, Buffer.from(name, 'latin1'))))));
}

/** A ClientHello message with these extensions; null: without an extension block at all. */
export function helloMessage(extensions: readonly Buffer[] | null): Buffer {
  const fixed = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    prefixed(1, Buffer.alloc(32, 9)),
    prefixed(2, Buffer.from([0x13, 0x01, 0xc0, 0x2f])),
    prefixed(1, Buffer.from([0])),
  ]);
  const body = extensions === null ? fixed : Buffer.concat([fixed, prefixed(2, Buffer.concat(extensions))]);
  return Buffer.concat([Buffer.from([1]), prefixed(3, body)]);
}
