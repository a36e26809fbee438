/** Waits for the first bytes of an open tunnel and says which protocol they are. */
import type { Socket } from 'node:net';
import type { Hello, Target, TunnelArrival } from '../flow.ts';
import { startReading, stopReading } from '../reading.ts';
import { Accumulator } from '../accumulator.ts';
import { createClientHelloReader, type ClientHello, type ClientHelloReader } from './client-hello.ts';
import { parseHost } from './target.ts';

export interface HelloReader {
  /** Resolves once, never rejects. `bytes` holds all that was read; later bytes wait in the stream. */
  readonly hello: Promise<Hello>;
  /** Stops waiting, because the server spoke first: what has come so far has to suffice. */
  readonly giveUp: () => void;
}

/** The server name of a hello as a target; null if it is invalid (RFC 6066, section 3: no addresses, ASCII only). */
export function serverNameOf(name: string, port: number): Target | null {
  if (name.length > 255 || !/^[!-~]+$/.test(name)) return null;
  try {
    const { host, kind } = parseHost(name);
    return kind === 'name' ? { host, kind, port } : null;
  } catch {
    return null;
  }
}

function judge(read: ClientHello, port: number, bytes: Buffer, nothing: 'silent' | 'server-first' = 'silent'): Hello {
  // An incomplete hello is never taken for "no name".
  if (read.kind === 'more') return { kind: 'other', why: bytes.length === 0 ? nothing : 'malformed-tls', bytes };
  if (read.kind === 'bad') return { kind: 'other', why: read.why, bytes };
  const { alpn, ech, resumable } = read;
  if (read.serverName === null) return { kind: 'tls', serverName: null, alpn, ech, resumable, bytes };
  const serverName = serverNameOf(read.serverName, port);
  if (serverName === null) return { kind: 'other', why: 'bad-server-name', bytes };
  return { kind: 'tls', serverName, alpn, ech, resumable, bytes };
}

/** The origin's side of a tunnel, which may speak first. */
export interface FirstBytes {
  /** Calls back when its first bytes have come or can no longer come; null cancels that. */
  readonly onFirstBytes: (listener: (() => void) | null) => void;
}

/**
 * Reads the hello of a tunnel to `port`, beginning with the bytes that came with the CONNECT.
 *
 * @param patience milliseconds from now until the first byte.
 * @param rival the side whose first bytes end the wait.
 * @param headTimeout milliseconds from the first byte to the whole hello, however often bytes arrive.
 */
export function readHello(
  socket: Socket,
  early: Buffer,
  port: number,
  patience: number,
  rival: FirstBytes | null = null,
  headTimeout = patience,
): HelloReader {
  // Created at the first byte: a tunnel may wait hours for it.
  let reader: ClientHelloReader | null = null;
  const read = new Accumulator();
  let latest: ClientHello = { kind: 'more' };
  let giveUp = (): void => undefined;

  const take = (chunk: Buffer): boolean => {
    read.append(chunk);
    reader ??= createClientHelloReader();
    latest = reader.push(chunk);
    return latest.kind !== 'more';
  };

  if (early.length > 0 && take(early)) return { hello: Promise.resolve(judge(latest, port, read.bytes())), giveUp };

  const hello = new Promise<Hello>((resolve) => {
    const finish = (result: Hello): void => {
      giveUp = () => undefined;
      rival?.onFirstBytes(null);
      clearTimeout(timer);
      stopReading(socket);
      resolve(result);
    };
    const listen = (chunk: Buffer): boolean => {
      const isFirst = read.length === 0;
      if (take(chunk)) finish(judge(latest, port, read.bytes()));
      else if (isFirst && headTimeout < patience) {
        clearTimeout(timer);
        timer = setTimeout(onLate, headTimeout);
      }
      return true;
    };
    const onLate = (): void => finish(judge(latest, port, read.bytes()));
    const onEnd = (): void => finish({ kind: 'other', why: 'ended', bytes: read.bytes() });
    giveUp = () => finish(judge(latest, port, read.bytes(), 'server-first'));
    let timer = setTimeout(onLate, read.length === 0 ? patience : headTimeout);
    if (socket.destroyed || socket.readableEnded) {
      onEnd();
      return;
    }
    const waiting = giveUp;
    startReading(socket, listen, onEnd);
    // The bytes that were already there may have sufficed.
    if (giveUp === waiting) rival?.onFirstBytes(giveUp);
  });
  return { hello, giveUp: () => giveUp() };
}

export interface HelloOptions {
  /** Milliseconds that a client has for its hello on a port that requires TLS. */
  readonly helloTimeout: number;
  /** The same on other ports; a hello that has begun has {@link HelloOptions.helloTimeout} there too. */
  readonly idleTimeout: number;
  readonly tlsRequiredPorts: readonly number[];
}

/**
 * The first bytes of an open tunnel. On a port that does not require TLS the origin may speak first (SSH, SMTP), and
 * then there is no hello to wait for.
 */
export function awaitHello(
  { socket, early, target }: TunnelArrival,
  upstream: FirstBytes | null,
  { tlsRequiredPorts, helloTimeout, idleTimeout }: HelloOptions,
): Promise<Hello> {
  const rival = tlsRequiredPorts.includes(target.port) ? null : upstream;
  const patience = rival === null ? helloTimeout : idleTimeout;
  return readHello(socket, early, target.port, patience, rival, helloTimeout).hello;
}
