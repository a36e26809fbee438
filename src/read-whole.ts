/**
 * Reads whole files, and nothing else. Files are read again while clients are served: a pipe would be waited for, a device
 * has no end, and nobody would be served meanwhile.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, type Stats } from 'node:fs';

/** Bytes. A password file of a million users has a third of it. */
const MOST = 256 * 1024 * 1024;

/** What a shell hands over for `<(command)`, and a `-` of other programs: these do end. */
const handedOver = /^\/(?:dev\/fd\/\d+|proc\/self\/fd\/\d+|dev\/stdin)$/;

function refuse(code: string): never {
  throw Object.assign(new Error(code), { code });
}

/** @throws an error with a `code`, in words where the system has none, for what is no file. */
export function refuseKind(stats: Pick<Stats, 'isFile' | 'isDirectory'>): void {
  if (stats.isDirectory()) refuse('EISDIR');
  if (!stats.isFile()) refuse('it is a pipe or a device');
}

/**
 * @param judge looks at the very file that is read, before it is, and throws where it may not be used.
 * @throws what the system says; of what is no file, or too large for any of ours, an error with `code` as well.
 */
export function readWhole(file: string, judge: (stats: Stats) => void = () => undefined): Buffer {
  if (handedOver.test(file)) {
    judge(statSync(file));
    return readFileSync(file);
  }
  // To open a pipe would be to wait for its writer. On Windows the flag is not there, and nothing is changed by it.
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
