/** Files that a key of sallyport.yaml names. */
import { ConfigError } from '../errors.ts';
import { readWhole } from '../read-whole.ts';

/**
 * The bytes of a file that `key` names, written as in sallyport.yaml with dots.
 *
 * @throws {ConfigError} naming file and key where it cannot be read.
 */
export function readNamedFile(file: string, key: string): Buffer {
  try {
    return readWhole(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError(`${file}: cannot be read (${code}); correct ${key}`);
  }
}
