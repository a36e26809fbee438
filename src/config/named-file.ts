/** Reads files that sallyport.yaml names. */
import { ConfigError } from '../errors.ts';
import { readWhole } from '../read-whole.ts';

/**
 * The bytes of the file named by `key`, in sallyport.yaml's notation with dots.
 *
 * @throws {ConfigError} naming file and key if it cannot be read.
 */
export function readNamedFile(file: string, key: string): Buffer {
  try {
    return readWhole(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError(`${file}: cannot be read (${code}); correct ${key}`);
  }
}
