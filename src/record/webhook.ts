/** Sends messages to an HTTP server, one at a time, in the background. */
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { setTimeout } from 'node:timers/promises';

export interface Webhook {
  /** Queues `body`, which is JSON; drops and counts it if the queue is full. */
  readonly send: (body: string) => void;
  /** Messages not delivered since the process started. */
  readonly lost: () => number;
  /** Drops queued messages, ends a pause, and resolves when the current one is done. */
  readonly close: () => Promise<void>;
}

export interface WebhookOptions {
  readonly url: string;
  /** Called for the first of consecutive failures; the error never contains the message. */
  readonly onFault: (error: Error) => void;
  /** Milliseconds per message. */
  readonly timeout?: number;
  /** Milliseconds after a failure, before the next message. */
  readonly pause?: number;
}

const WAITING = 1000;

export function createWebhook({ url, onFault, timeout = 5_000, pause = 1_000 }: WebhookOptions): Webhook {
  const waiting: string[] = [];
  const closed = new AbortController();
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
        // To try each message in turn would cost more than the denials that they tell of.
        await setTimeout(pause, undefined, { signal: closed.signal, ref: false }).catch(() => undefined);
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
      closed.abort();
      await sending;
    },
  };
}
