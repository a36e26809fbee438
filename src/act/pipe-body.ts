/** A body from one stream into another, as `pipe` does it, but each piece of memory is given back when it is written. */
import type { Readable } from 'node:stream';
import { freeAfterWrite } from './free-memory.ts';

/** What takes a body: a request, or a response of either version of HTTP. */
export interface BodySink {
  write(chunk: Buffer, done?: (error?: Error | null) => void): boolean;
  readonly writableNeedDrain: boolean;
  on(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

/** With back-pressure, until either is done. The end is not passed on. The chunks are gone for whoever keeps them. */
export function pipeBody(from: Readable, to: BodySink): void {
  const onData = (chunk: Buffer): void => {
    if (!to.write(chunk, freeAfterWrite(chunk))) from.pause();
  };
  const onDrain = (): void => void from.resume();
  to.on('drain', onDrain);
  to.on('close', () => {
    from.off('data', onData);
    to.off('drain', onDrain);
    // What has come to its end says no more.
    if (from.readableEnded) return;
    // Somebody else may read the rest, only to drop it, and need not wait for what is closed.
    if (from.listenerCount('data') === 0) from.pause();
    else from.resume();
  });
  from.on('data', onData);
  if (to.writableNeedDrain) from.pause();
  else from.resume();
}
