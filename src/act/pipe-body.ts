/** Pipes the body of a message to its next hop. Memory is released as it is written. */
import type { Readable } from 'node:stream';
import { freeAfterWrite } from './free-memory.ts';

/** What takes a body: a request, or a response of either version of HTTP. */
export interface BodySink {
  write(chunk: Buffer, done?: (error?: Error | null) => void): boolean;
  readonly writableNeedDrain: boolean;
  on(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

/**
 * Pipes with back-pressure until either side is done. The end is not passed on, and the chunks must not be used by
 * anyone else afterwards.
 */
export function pipeBody(from: Readable, to: BodySink): void {
  const write = (chunk: Buffer): void => {
    if (!to.write(chunk, freeAfterWrite(chunk))) from.pause();
  };
  const onDrain = (): void => void from.resume();
  to.on('drain', onDrain);
  to.on('close', () => {
    from.off('data', write);
    to.off('drain', onDrain);
    // What has come to its end says no more.
    if (from.readableEnded) return;
    // Somebody else may read the rest, only to drop it, and need not wait for what is closed.
    if (from.listenerCount('data') === 0) from.pause();
    else from.resume();
  });
  from.on('data', write);
  if (to.writableNeedDrain) from.pause();
  else from.resume();
}
