/** A port where every connection is a tunnel to look.test that ends here. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { onTestFinished } from 'vitest';
import { answerAndEnd, sendAnswer } from '../../src/act/write.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Answerable, Denial, Hostname, Target, UpgradeArrival } from '../../src/flow.ts';
import { createDecrypted, type InterceptEnd } from '../../src/listen/decrypted.ts';
import { readHello } from '../../src/listen/hello.ts';
import type { TestCertificate } from './certificate.ts';
import { failureAnswer } from './wiring.ts';

const look: Target = { host: 'look.test' as Hostname, kind: 'name', port: 443 };

/** Some of what is asked may pass, so that all of it is read by the server. */
const lenient: Denial = {
  letAccountCallsPass: true,
  rule: 'r',
  reason: 'because',
  service: null,
  assistant: null,
  manner: 'intercept',
  redirect: 'page',
  link: null,
  since: null,
};

export interface Intercepted {
  readonly port: number;
  readonly ends: InterceptEnd[];
  readonly arrivals: (Answerable | UpgradeArrival)[];
  readonly rejections: ErrorCode[];
  /** Names that leaves were asked for. */
  readonly names: string[];
  /** Whether each context had to have session tickets. */
  readonly resuming: readonly boolean[];
  readonly open: Set<Socket>;
  readonly closeIdle: () => void;
}

export interface InterceptedSettings {
  readonly certificate: TestCertificate;
  readonly target?: Target;
  /** Nothing that is asked may pass. */
  readonly strict?: boolean;
  readonly headTimeout?: number;
  readonly idleTimeout?: number;
  readonly arrived?: (arrival: Answerable | UpgradeArrival) => void;
}

function answer(arrival: Answerable | UpgradeArrival): void {
  if (arrival.kind === 'upgrade') arrival.socket.end(`upgrade ${arrival.early.toString()}`);
  else if ('socket' in arrival) arrival.socket.end(`<lone ${arrival.facts.method} ${arrival.facts.path}>`);
  else {
    const { req, facts } = arrival;
    const res = arrival.res as ServerResponse;
    const chunks: Buffer[] = [];
    (req as IncomingMessage).on('data', (chunk: Buffer) => chunks.push(chunk));
    (req as IncomingMessage).on('end', () => {
      res.end(
        `<${facts.method} ${facts.scheme} ${facts.httpVersion} ${facts.path} ${Buffer.concat(chunks).toString()}>`,
      );
    });
  }
}

export async function startIntercepted(settings: InterceptedSettings): Promise<Intercepted> {
  const ends: InterceptEnd[] = [];
  const arrivals: (Answerable | UpgradeArrival)[] = [];
  const rejections: ErrorCode[] = [];
  const names: string[] = [];
  const resuming: boolean[] = [];
  const open = new Set<Socket>();
  const { certificate, target = look, headTimeout = 5_000, idleTimeout = 10_000 } = settings;
  const denial = settings.strict === true ? { ...lenient, letAccountCallsPass: false } : lenient;
  const decrypted = createDecrypted({
    headTimeout,
    idleTimeout,
    contextFor: ({ host }, resumable) => {
      names.push(host);
      resuming.push(resumable);
      return createSecureContext(certificate);
    },
    arrived: (arrival) => {
      arrivals.push(arrival);
      (settings.arrived ?? answer)(arrival);
    },
    rejectRequest: (req, res, _origin, code) => {
      rejections.push(code);
      void sendAnswer(req, res, failureAnswer(code));
    },
    reject: (socket, _origin, code) => {
      rejections.push(code);
      void answerAndEnd(socket, failureAnswer(code));
    },
  });
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    open.add(socket);
    socket.on('error', () => undefined).once('close', () => open.delete(socket));
    void readHello(socket, Buffer.alloc(0), 443, 2_000)
      .hello.then((hello) => decrypted.take(socket, { id: 'outer', target, denial }, hello))
      .then((end) => ends.push(end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    decrypted.close();
    for (const socket of open) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { port, ends, arrivals, rejections, names, resuming, open, closeIdle: decrypted.closeIdle };
}
