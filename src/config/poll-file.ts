/** Polls one small file and reports changes. Works on every file system. */
import { stat } from 'node:fs/promises';

/** Milliseconds between checks. */
const EVERY = 250;

export interface FilePoll {
  readonly close: () => void;
}

/** Identifies a state of a file; empty if there is none. */
async function stateOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return '';
  }
}

/**
 * @param changed called at the first check, so that no earlier change is missed, and after every change. An exception
 *   in it ends the process.
 */
export function pollFile(file: string, changed: () => void): FilePoll {
  let last: string | null = null;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const again = async (): Promise<void> => {
    const state = await stateOf(file);
    if (closed) return;
    if (state !== last) {
      last = state;
      changed();
    }
    timer = setTimeout(() => void again(), EVERY).unref();
  };
  void again();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
