/** Ways through the proxy, as clients take them: a CONNECT, TLS behind it, HTTP/1.1 and HTTP/2 behind that. */
import { request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type IncomingHttpHeaders as Http2Headers,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import { connect, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { rawClient, type RawClient } from './streams.ts';

export function connectHead(authority: string, fields = ''): string {
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`;
}

/** Reads up to the end of a message head; what lies behind it is given back to the socket. */
export function readHead(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0);
    const finish = (): void => void socket.off('data', onData).off('close', onClose);
    const onClose = (): void => {
      finish();
      reject(new Error(`closed before the end of a head: ${JSON.stringify(held.toString('latin1'))}`));
    };
    const onData = (chunk: Buffer): void => {
      held = Buffer.concat([held, chunk]);
      const end = held.indexOf('\r\n\r\n');
      if (end === -1) return;
      finish();
      socket.pause();
      if (held.length > end + 4) socket.unshift(held.subarray(end + 4));
      resolve(held.toString('latin1', 0, end));
    };
    socket.on('data', onData).once('close', onClose);
  });
}

/** An open tunnel: paused, with allowHalfOpen. Fails where the CONNECT is not answered by 200. */
export async function openTunnel(proxyPort: number, authority: string): Promise<Socket> {
  const socket = connect({ port: proxyPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  socket.write(connectHead(authority));
  const head = await readHead(socket);
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(`CONNECT ${authority} was answered: ${head}`);
  return socket;
}

/** An open tunnel for raw bytes. */
export async function rawTunnel(proxyPort: number, authority: string): Promise<RawClient> {
  const client = rawClient(await openTunnel(proxyPort, authority));
  client.socket.resume();
  return client;
}

/** TLS over an open tunnel; rejects with the error of the handshake. */
export function tlsOver(socket: Socket, options: ConnectionOptions): Promise<TLSSocket> {
  const tls = connectTls({ ...options, socket });
  onTestFinished(() => void tls.destroy());
  return new Promise((resolve, reject) => {
    tls.once('error', reject);
    tls.once('close', () => reject(new Error('closed during the handshake')));
    tls.once('secureConnect', () => {
      tls.on('error', () => undefined);
      resolve(tls);
    });
  });
}

export interface Asking {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

export interface Answered {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: NodeJS.Dict<string>;
  readonly body: string;
}

/** One request of HTTP/1.1 on a stream that is there already. Host comes from `headers`. */
export function askOver(stream: Duplex, { method = 'GET', path = '/', headers = {}, body }: Asking): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ createConnection: () => stream, method, path, headers, setHost: false });
    outgoing.once('socket', () => stream.resume());
    outgoing.once('error', reject);
    outgoing.once('response', (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      res.once('error', reject);
      res.once('end', () => {
        const { statusCode = 0, statusMessage = '' } = res;
        resolve({
          status: statusCode,
          reason: statusMessage,
          headers: res.headers,
          trailers: res.trailers,
          body: text,
        });
      });
    });
    outgoing.end(body);
  });
}

/** Asks a decrypted host: CONNECT, TLS that trusts `ca`, one request. */
export async function askInside(
  proxyPort: number,
  ca: string,
  url: string,
  { headers = {}, ...asking }: Asking = {},
): Promise<Answered> {
  const { hostname, host, port, pathname, search } = new URL(url);
  const socket = await openTunnel(proxyPort, `${hostname}:${port === '' ? '443' : port}`);
  const tls = await tlsOver(socket, isIP(hostname) === 0 ? { ca, servername: hostname } : { ca, host: hostname });
  return askOver(tls, { path: `${pathname}${search}`, ...asking, headers: { host, ...headers } });
}

export async function http2Over(socket: Socket, ca: string, host: string): Promise<ClientHttp2Session> {
  const tls = await tlsOver(socket, { ca, servername: host, ALPNProtocols: ['h2'] });
  const session = connectHttp2(`https://${host}`, { createConnection: () => tls });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

export interface Http2Answered {
  readonly headers: Http2Headers & IncomingHttpStatusHeader;
  /** The flags of the frame that the answer's head came in (RFC 9113, section 6.2). */
  readonly flags: number;
  readonly body: string;
  /** Trailers, where the stream ended with any. */
  readonly trailers: Http2Headers | null;
}

export function askHttp2(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body = ''): Promise<Http2Answered> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === '' });
    let head: Http2Answered['headers'] = {};
    let flags = 0;
    let trailers: Http2Answered['trailers'] = null;
    let text = '';
    stream.once('error', reject);
    stream.once('response', (received, receivedFlags) => {
      head = received;
      flags = receivedFlags;
    });
    stream.once('trailers', (received: Http2Headers) => (trailers = received));
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    stream.once('close', () => resolve({ headers: head, flags, body: text, trailers }));
    if (body !== '') stream.end(body);
  });
}
