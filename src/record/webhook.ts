/** Sends messages to somebody else's HTTP server, one after the other, and never makes anybody wait for it. */
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';

export interface Webhook {
  /** `body` is JSON. Dropped and counted where too many wait already. */
  readonly send: (body: string) => void;
  /** Messages that did not arrive, since the start. */
  readonly lost: () => number;
  /** Gives up on what waits, and resolves when nothing is under way. */
  readonly close: () => Promise<void>;
}

export interface WebhookOptions {
  readonly url: string;
  /** Hears the first failure of each spell of failures; it says where, never what was sent. */
  readonly onFault: (error: Error) => void;
  /** Milliseconds for one message. */
  readonly timeout?: number;
}

const WAITING = 1000;

export function createWebhook({ url, onFault, timeout = 5_000 }: WebhookOptions): Webhook {
  const waiting: string[] = [];
  let sending: Promise<void> | null = null;
  let failing = false;
  let lost = 0;

  const post = (body: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = url.startsWith('https:') ? requestTls : requestPlain;
      const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
      const signal = AbortSignal.timeout(timeout);
      const outgoing = request(url, { method: 'POST', headers, signal, agent: false }, (answer) => {
        answer.on('error', reject).resume();
        const { statusCode = 0 } = answer;
        if (statusCode >= 200 && statusCode < 300) answer.once('end', resolve);
        else reject(new Error(`the server answered with status ${statusCode}`));
      });
      outgoing.on('error', reject).end(body);
    });

  const work = async (): Promise<void> => {
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) {
      try {
        await post(body);
        failing = false;
      } catch (error) {
        lost += 1;
        if (!failing) onFault(error instanceof Error ? error : new Error(String(error)));
        failing = true;
      }
    }
    sending = null;
  };

  return {
    send(body) {
      if (waiting.length >= WAITING) {
        lost += 1;
        return;
      }
      waiting.push(body);
      sending ??= work();
    },
    lost: () => lost,
    async close() {
      lost += waiting.length;
      waiting.length = 0;
      await sending;
    },
  };
}
