/** Runs the real curl, without the environment's own proxy settings. */
import { execFile } from 'node:child_process';

export interface Curled {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export function curl(...args: readonly string[]): Promise<Curled> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'], NO_PROXY: '' }, maxBuffer: 64 * 1024 * 1024 };
    execFile('curl', ['-sS', '-m', '20', ...args], options, (error, out, err) => {
      resolve({ exit: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}
