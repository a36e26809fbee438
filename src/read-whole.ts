/**
 * Reads whole files, and refuses pipes and devices. Files are read synchronously while clients are being served: a pipe
 * would block, and a device may never end.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, type Stats } from 'node:fs';

/** Bytes. A password file of a million users has a third of this size. */
const MOST = 256 * 1024 * 1024;

/** Paths of a shell's `<(command)` and of standard input: allowed, because these pipes end. */
const handedOver = /^\/(?:dev\/fd\/\d+|proc\/self\/fd\/\d+|dev\/stdin)$/;

function refuse(code: string): never {
  throw Object.assign(new Error(code), { code });
}

/** @throws an error with a `code` if it is not a regular file. */
export function refuseKind(stats: Pick<Stats, 'isFile' | 'isDirectory'>): void {
  if (stats.isDirectory()) refuse('EISDIR');
  if (!stats.isFile()) refuse('it is a pipe or a device');
}

/**
 * @param judge examines the opened file, and throws if it must not be used.
 * @throws the system's error, or one with a `code` if it is too large or not a regular file.
 */
export function readWhole(file: string, judge: (stats: Stats) => void = () => undefined): Buffer {
  if (handedOver.test(file)) {
    judge(statSync(file));
    return readFileSync(file);
  }
  // O_NONBLOCK: otherwise opening a pipe would wait for a writer. Windows does not have the flag, and needs none.
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    refuseKind(stats);
    judge(stats);
    if (stats.size > MOST) refuse(`it has more than ${MOST} bytes`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
