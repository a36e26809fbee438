/** Looks at one small file again and again, and says when it is another one. Works wherever a file can be asked for. */
import { stat } from 'node:fs/promises';

/** Milliseconds. */
const EVERY = 250;

export interface FilePoll {
  readonly close: () => void;
}

/** What tells one state of a file from the next; empty where there is none. */
async function stateOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return '';
  }
}

/**
 * @param changed called once at the first look, so that nothing is missed that happened before, and at every change. What
 * it throws ends the process, as any defect does.
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
