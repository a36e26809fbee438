/** The access log: one line for every attempt, written when it ends, and for everything rejected before that. */
import { createAccessLine } from './access-line.ts';
import { fileDestination, noDestination, streamDestination } from './destinations.ts';
import { createLineWriter, type Destination, type Fault } from './line-writer.ts';
import type { Sink } from './sink.ts';
import { createSquidLine } from './squid-line.ts';

export interface AccessLogOptions {
  /** File to append to, `-` for `stdout`, or `none`. */
  readonly path: string;
  /** `ecs`: JSON with the field names of the Elastic Common Schema; `squid`: Squid's native format. */
  readonly format: 'ecs' | 'squid';
  readonly stdout: NodeJS.WritableStream;
  /** Written to every line as `host.name`; absent: no such field. */
  readonly hostname?: string | undefined;
  /** Called for the first of consecutive errors, such as a full disk or a vanished reader. */
  readonly onFault: (error: Error, fault: Fault) => void;
}

export interface AccessLog extends Sink {
  /** Reopens the file after log rotation moved it, without losing or splitting lines. */
  reopen(): void;
  /** Writes lines formatted by another process, each with its newline. */
  append(lines: string): void;
  /** Lines that could not be written since the process started. */
  readonly lost: number;
}

function destinationOf({ path, stdout }: AccessLogOptions): Destination {
  if (path === '-') return streamDestination(stdout);
  return path === 'none' ? noDestination() : fileDestination(path, 'access log');
}

/** @throws ConfigError if the file cannot be opened. */
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
