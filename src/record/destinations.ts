/** Destinations for log lines: a file written through its descriptor, or a stream. */
import { close, constants, fstat, open, openSync, write } from 'node:fs';
import { Socket } from 'node:net';
import { ConfigError } from '../errors.ts';
import type { Destination } from './line-writer.ts';

/** Not readable by others: lines reveal what people do. */
const fileMode = 0o640;

/**
 * O_NONBLOCK, for named pipes: without a reader, a blocked open or write would occupy a thread of the pool and keep the
 * process from exiting. It has no effect on files.
 */
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** Milliseconds between writes to a full pipe, and until its lines count as lost. */
const RETRY_AFTER = 50;
const GIVE_UP_AFTER = 5_000;

const noop = (): void => undefined;

/**
 * Appends to the file at `path`, and creates it if it does not exist.
 * @param what is written there, for the error message.
 * @throws ConfigError if it cannot be opened.
 */
export function fileDestination(path: string, what: string): Destination {
  let fd: number;
  try {
    fd = openSync(path, appending, fileMode);
  } catch (error) {
    throw new ConfigError(`${what} ${path}: ${complaintOf(error)}`);
  }
  const reopen: Destination['reopen'] = (done) => {
    open(path, appending, fileMode, (error, opened) => {
      if (error === null) {
        close(fd, noop);
        fd = opened;
      }
      done(error);
    });
  };
  return {
    write(chunk, done) {
      fstat(fd, (fault, file) => {
        if (fault !== null || file.nlink > 0) {
          writeAll(fd, chunk, done);
          return;
        }
        // The file was deleted: nobody could read what is written to it.
        reopen((error) => {
          if (error === null) writeAll(fd, chunk, done);
          else done(0, error);
        });
      });
    },
    reopen,
    close: () => close(fd, noop),
  };
}

/** Discards all lines, without counting them as lost. */
export function noDestination(): Destination {
  return {
    write: (chunk, done) => void setImmediate(done, chunk.length, null),
    reopen: (done) => void setImmediate(done, null),
    close: noop,
  };
}

/**
 * Writes to `stream`, which stays open. If standard output is a file, it is written through its descriptor, because
 * Node's stream over a file writes synchronously; a pipe or a terminal is a `Socket`.
 */
export function streamDestination(stream: NodeJS.WritableStream): Destination {
  const reopen: Destination['reopen'] = (done) => void setImmediate(done, null);
  const fd = stream instanceof Socket ? null : descriptorOf(stream);
  if (fd !== null) return { write: (chunk, done) => writeAll(fd, chunk, done), reopen, close: noop };
  // A stream other than a socket may still use a chunk after its write callback.
  const own = (chunk: Buffer): Buffer => (stream instanceof Socket ? chunk : Buffer.from(chunk));
  // Without a listener, a vanished reader (EPIPE) would end the process; the write callback reports the error.
  stream.on('error', noop);
  return {
    write(chunk, done) {
      stream.write(own(chunk), (error) => done(error ? 0 : chunk.length, error ?? null));
    },
    reopen,
    close: noop,
  };
}

/** Repeats partial writes; `done` gets the bytes written before an error. */
function writeAll(fd: number, chunk: Buffer, done: (written: number, error: Error | null) => void): void {
  let total = 0;
  let patience = GIVE_UP_AFTER;
  const go = (): void =>
    write(fd, chunk, total, chunk.length - total, null, (error, written) => {
      if (error?.code === 'EAGAIN' && patience > 0) {
        patience -= RETRY_AFTER;
        setTimeout(go, RETRY_AFTER).unref();
        return;
      }
      if (error === null) total += written;
      patience = GIVE_UP_AFTER;
      if (error !== null || total === chunk.length) done(total, error);
      else go();
    });
  go();
}

function descriptorOf(stream: NodeJS.WritableStream): number | null {
  return 'fd' in stream && typeof stream.fd === 'number' ? stream.fd : null;
}

function complaintOf(error: unknown): string {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (reason === 'ENXIO') return 'nothing reads from this pipe; start its reader first';
  if (reason === 'EISDIR') return 'this is a folder; name a file in it';
  return `${reason}; create its folder, or give this account write access to it`;
}
