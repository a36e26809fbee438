/**
 * The access log: one line for every attempt, written when it has ended, and for everything that was turned
 * away before it could become one.
 */
import { createAccessLine } from './access-line.ts';
import { fileDestination, noDestination, streamDestination } from './destinations.ts';
import { createLineWriter, type Destination, type Fault } from './line-writer.ts';
import type { Sink } from './sink.ts';
import { createSquidLine } from './squid-line.ts';

export interface AccessLogOptions {
  /** File to append to, `-` for `stdout`, or `none`. */
  readonly path: string;
  /** `ecs`: JSON with the names of the Elastic Common Schema; `squid`: the native format of Squid. */
  readonly format: 'ecs' | 'squid';
  readonly stdout: NodeJS.WritableStream;
  /** Names this machine in every line (`host.name`); absent: no such field. */
  readonly hostname?: string | undefined;
  /** Hears the first error of each spell of errors: disk full, reader gone. */
  readonly onFault: (error: Error, fault: Fault) => void;
}

export interface AccessLog extends Sink {
  /** Opens the file anew after log rotation moved it; lines are neither lost nor torn. */
  reopen(): void;
  /** Writes lines that another process has made, each with its newline. */
  append(lines: string): void;
  /** Lines that could not be written, since the start. */
  readonly lost: number;
}

function destinationOf({ path, stdout }: AccessLogOptions): Destination {
  if (path === '-') return streamDestination(stdout);
  return path === 'none' ? noDestination() : fileDestination(path, 'access log');
}

/** @throws ConfigError where the file cannot be opened. */
export function createAccessLog(options: AccessLogOptions): AccessLog {
  const destination = destinationOf(options);
  const writer = createLineWriter(destination, options.onFault);
  const line = options.format === 'squid' ? createSquidLine() : createAccessLine(options.hostname ?? null);
  return {
    name: 'access log',
    decided: () => undefined,
    finished: (finished) => writer.write(line.finished(finished)),
    rejected: (rejected) => writer.write(line.rejected(rejected)),
    reopen: () => writer.reopen(),
    append: (lines) => writer.append(lines),
    close: () => writer.close(),
    get lost() {
      return writer.lost;
    },
  };
}
