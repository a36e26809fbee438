/** Small helpers for tests over real sockets: clients that speak raw bytes, origins that answer them. */
import { createServer as createHttpOrigin, type RequestListener, type Server as HttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';

const PATIENCE = 20_000;

/** Polls a condition; fails with what was waited for. Only for what no event tells. */
export async function eventually(what: string, holds: () => boolean, patience = PATIENCE): Promise<void> {
  const until = performance.now() + patience;
  while (!holds()) {
    if (performance.now() > until) throw new Error(`still not: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface RawClient<S extends Duplex = Socket> {
  readonly socket: S;
  readonly write: (bytes: string | Uint8Array) => void;
  /** All that came so far, as latin1. */
  readonly seen: () => string;
  /** Resolves with all that came once it holds `text`; fails when the connection ends before. */
  readonly until: (text: string | RegExp) => Promise<string>;
  /** Resolves when the connection is gone: how it ended, and all that came. */
  readonly ended: Promise<{ readonly how: 'fin' | 'reset'; readonly text: string }>;
}

/** Wraps a stream as a raw client; it ends its own side as soon as the peer ends. */
export function rawClient<S extends Duplex>(stream: S): RawClient<S> {
  const chunks: Buffer[] = [];
  const watchers = new Set<() => void>();
  let how: 'fin' | 'reset' | null = null;
  const seen = (): string => Buffer.concat(chunks).toString('latin1');
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    changed();
  });
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET') how = 'reset';
  });
  const ended = new Promise<{ how: 'fin' | 'reset'; text: string }>((resolve) => {
    stream.once('close', () => {
      how ??= 'fin';
      resolve({ how, text: seen() });
      changed();
    });
  });
  return {
    socket: stream,
    write: (bytes) => void stream.write(bytes),
    seen,
    ended,
    until: (text) =>
      new Promise((resolve, reject) => {
        const give = (error: Error | null): void => {
          clearTimeout(timer);
          watchers.delete(look);
          if (error === null) resolve(seen());
          else reject(error);
        };
        const look = (): void => {
          const now = seen();
          if (typeof text === 'string' ? now.includes(text) : text.test(now)) give(null);
          else if (how !== null) give(new Error(`ended by ${how} before ${String(text)}: ${JSON.stringify(now)}`));
        };
        const timer = setTimeout(
          () => give(new Error(`never came: ${String(text)}; came: ${JSON.stringify(seen().slice(0, 2_000))}`)),
          PATIENCE,
        );
        watchers.add(look);
        look();
      }),
  };
}

/** Connects and waits until connected; the socket is destroyed when the test ends. */
export async function connectRaw(port: number, first?: string | Uint8Array): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  onTestFinished(() => void socket.destroy());
  const client = rawClient(socket);
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  if (first !== undefined) client.write(first);
  return client;
}

/** Sends bytes on a connection of their own and gives all that comes back until it ends. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  const client = await connectRaw(port, bytes);
  return (await client.ended).text;
}

async function listen(server: Server | HttpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

export interface Origin {
  readonly port: number;
  /** Connections that are open now. */
  readonly open: Set<Socket>;
  /** Connections ever taken. */
  readonly taken: () => number;
}

function track(server: Server | HttpServer): Omit<Origin, 'port'> {
  const open = new Set<Socket>();
  let taken = 0;
  server.on('connection', (socket: Socket) => {
    taken += 1;
    open.add(socket);
    socket.on('error', () => undefined).once('close', () => open.delete(socket));
  });
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return { open, taken: () => taken };
}

/** An origin that speaks raw TCP; allowHalfOpen, so that it alone says when it ends. */
export async function tcpOrigin(onConnection: (socket: Socket) => void): Promise<Origin> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  const tracked = track(server);
  return { ...tracked, port: await listen(server) };
}

/** An origin of node:http. */
export async function httpOrigin(onRequest: RequestListener): Promise<Origin & { readonly server: HttpServer }> {
  const server = createHttpOrigin({ requireHostHeader: false }, onRequest);
  const tracked = track(server);
  return { ...tracked, server, port: await listen(server) };
}

/** An origin that gives every connection the same bytes once it has read a whole request head. */
export function cannedOrigin(answer: string | Uint8Array, then: 'end' | 'keep' = 'end'): Promise<Origin> {
  return tcpOrigin((socket) => {
    let head = '';
    socket.on('data', (chunk: Buffer) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      head = '';
      if (then === 'end') socket.end(answer);
      else socket.write(answer);
    });
  });
}

/** Two connected sockets, both with allowHalfOpen; `near` is the accepted one. */
export async function socketPair(): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  const port = await listen(server);
  const far = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const near = await new Promise<Socket>((resolve) => server.once('connection', resolve));
  if (far.connecting) await new Promise((resolve) => far.once('connect', resolve));
  server.close();
  for (const socket of [near, far]) socket.on('error', () => undefined);
  onTestFinished(() => {
    near.destroy();
    far.destroy();
  });
  return { near, far };
}
