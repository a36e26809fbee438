/**
 * Has a socket that was accepted read as `net.connect` has one read that it dials with `onread`: `node:net` gives a
 * server no such option, and what it does instead, 64 KiB of new memory for each read, makes an upload cost three times
 * as much (nodejs.org/api/net.html, `onread`).
 */
import type { OnReadOpts, Socket } from 'node:net';

/** Where `net.Socket` keeps its `onread`: the memory, who hears of it, and who gives the next. */
const places = ['kBuffer', 'kBufferCb', 'kBufferGen'] as const;

/**
 * From the next read on. The caller has taken all that was read before. Under TLS the callback hears of each record, also
 * after it has said false: those that were there are decrypted to the last.
 *
 * @returns false, and nothing is changed, where it cannot be done: on a socket that is closed, and by a Node.js that keeps
 * these things elsewhere, for no documentation names them.
 */
export function readInto(socket: Socket, onread: OnReadOpts): boolean {
  const own = Object.getOwnPropertySymbols(socket);
  const [buffer, called, generator] = places.map((place) => own.find(({ description }) => description === place));
  const handle: unknown = Reflect.get(socket, '_handle');
  const use: unknown = Reflect.get(Object(handle), 'useUserBuffer');
  if (buffer === undefined || called === undefined || generator === undefined || typeof use !== 'function')
    return false;
  const next = (): Uint8Array => (typeof onread.buffer === 'function' ? onread.buffer() : onread.buffer);
  const first = next();
  const callback: typeof onread.callback = (length, bytes) => onread.callback(length, bytes);
  Object.assign(socket, { [buffer]: first, [called]: callback, [generator]: next });
  Reflect.apply(use, handle, [first]);
  return true;
}
