/** `sallyport hash-password`: makes a line for the password file. */
import { hashPassword } from '../identify/hash-password.ts';
import { parse, UsageError } from './verb.ts';
import type { ExitCode, Io, Verb } from './verb.ts';

/** No password is that long; longer input is some other file. */
const MAX_BYTES = 4096;

/** The first line of standard input. */
async function readLine({ stdin }: Io): Promise<string> {
  if (stdin === undefined) throw new UsageError('hash-password: there is no standard input to read the password from');
  let bytes = Buffer.alloc(0);
  for await (const chunk of stdin) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.includes('\n') || bytes.length > MAX_BYTES) break;
  }
  return bytes
    .toString('utf8')
    .replace(/\n[^]*$/, '')
    .replace(/\r$/, '');
}

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { positionals } = parse({ args: [...args], allowPositionals: true, options: {} });
  const [user, ...more] = positionals;
  if (user === undefined) throw new UsageError('hash-password: name the user, as in hash-password ada');
  // The extra argument may be the password, so the message must not repeat it.
  if (more.length > 0)
    throw new UsageError('hash-password: it takes only the user; the password comes from standard input');
  if (user === '' || /[:\p{Cc}]/u.test(user) || user.startsWith('#')) {
    throw new UsageError('hash-password: a user name has no colon or control character, and does not begin with #');
  }
  // On a terminal, so that nobody waits for a program that is waiting for input.
  if (io.progress !== undefined) io.err(`password of ${user}, on one line (it is visible as you type):`);
  const password = await readLine(io);
  if (password === '') throw new UsageError('hash-password: the password is empty; send it on one line');
  if (Buffer.byteLength(password) > MAX_BYTES) {
    throw new UsageError(`hash-password: the password is longer than ${MAX_BYTES} bytes; is it the wrong file?`);
  }
  io.out(`${user}:${await hashPassword(password)}`);
  return 0;
}

export const hash: Verb = {
  summary: 'Reads a password from standard input and prints its line for clients.authentication.password_file',
  usage: 'hash-password USER',
  run,
};
