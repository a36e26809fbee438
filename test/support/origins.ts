/** Origins beyond those of streams.ts, and the lab for the length of one test. */
import type { RequestListener } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { makeCertificate, type TestCertificate } from './certificate.ts';
import { startLab, type Lab, type LabOptions } from './lab.ts';
import { httpOrigin, tcpOrigin, type Origin } from './streams.ts';

export async function labOfTest(options: LabOptions = {}): Promise<Lab> {
  const lab = await startLab(options);
  onTestFinished(() => lab.close());
  return lab;
}

/** A throw-away certificate that is removed when the test ends. */
export function certificateOfTest(...names: readonly string[]): TestCertificate {
  const certificate = makeCertificate(...names);
  onTestFinished(() => certificate.remove());
  return certificate;
}

export interface TlsOrigin extends Origin {
  /** Bytes that came in, below TLS. */
  readonly received: () => number;
  readonly https: HttpsServer;
}

/** An origin of HTTPS; it counts what reaches it below TLS. */
export async function tlsOrigin(certificate: TestCertificate, onRequest: RequestListener): Promise<TlsOrigin> {
  const server = createHttps({ key: certificate.key, cert: certificate.cert }, onRequest);
  server.on('tlsClientError', () => undefined);
  let ended = 0;
  const sockets = new Set<{ readonly bytesRead: number }>();
  const origin = await tcpOrigin((socket) => {
    sockets.add(socket);
    socket.once('close', () => {
      ended += socket.bytesRead;
      sockets.delete(socket);
    });
    server.emit('connection', socket);
  });
  return {
    ...origin,
    https: server,
    received: () => [...sockets].reduce((sum, { bytesRead }) => sum + bytesRead, ended),
  };
}

export interface Recorder extends Origin {
  /** All bytes of all connections, in the order they came. */
  readonly seen: () => Buffer;
}

/** An origin that keeps what it is sent and says nothing but `greeting`. It ends when its client does. */
export async function recorder(greeting?: string | Buffer): Promise<Recorder> {
  const chunks: Buffer[] = [];
  const origin = await tcpOrigin((socket) => {
    if (greeting !== undefined) socket.write(greeting);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => socket.end());
  });
  return { ...origin, seen: () => Buffer.concat(chunks) };
}

/** A port in front of another that passes on, one by one, the bytes that clients send. */
export async function dribbler(to: number): Promise<number> {
  const { port } = await tcpOrigin((client) => {
    const upstream = connect({ port: to, host: '127.0.0.1', noDelay: true });
    const queue: Buffer[] = [];
    let busy = false;
    const drip = (): void => {
      const [chunk] = queue;
      busy = chunk !== undefined;
      if (chunk === undefined) return;
      if (chunk.length > 1) queue[0] = chunk.subarray(1);
      else queue.shift();
      upstream.write(chunk.subarray(0, 1), () => setImmediate(drip));
    };
    client.on('data', (chunk: Buffer) => {
      queue.push(chunk);
      if (!busy) drip();
    });
    client.once('close', () => upstream.destroy());
    upstream.on('error', () => undefined).once('close', () => client.destroy());
    upstream.pipe(client);
  });
  return port;
}

/** Below those that Linux gives to who asks for any, which the tests beside this one do all the time. */
const OWN = { from: 20_000, to: 32_000 };

/** A port where nothing listens, and nothing will that was not told its number. */
export async function closedPort(): Promise<number> {
  for (;;) {
    const port = OWN.from + Math.floor(Math.random() * (OWN.to - OWN.from));
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** An origin that keeps the fields of each request. */
export function headerOrigin() {
  const seen: string[] = [];
  return httpOrigin((req, res) => {
    seen.push(req.rawHeaders.join('\n'));
    res.end('hi');
  }).then((origin) => ({ ...origin, seen, url: `http://127.0.0.1:${origin.port}/` }));
}
