/**
 * Has a socket read as `net.connect` has one read that it dials with `onread`: `node:net` gives a server no such option,
 * nor `node:tls` anybody, and what they do instead, 64 KiB of new memory for each read, makes an upload cost three times as
 * much (nodejs.org/api/net.html, `onread`).
 */
import type { Socket } from 'node:net';

/** Where `net.Socket` keeps its `onread`: the memory, who hears of it, and who gives the next. */
interface Places {
  readonly buffer: symbol;
  readonly called: symbol;
  readonly generator: symbol;
}

/** As in `OnReadOpts`. */
export interface Reading {
  readonly buffer: Uint8Array | (() => Uint8Array);
  /** False: nothing more for now. */
  readonly callback: (length: number, bytes: Uint8Array) => boolean;
}

/** What else is looked for there, and may be missing. */
interface Inner {
  readonly _handle?: { readonly useUserBuffer?: (memory: Uint8Array) => void } | null;
  [place: symbol]: unknown;
}

/** Undefined before the first socket was looked at; null: this Node.js keeps these things elsewhere. */
let places: Places | null | undefined;

function placesIn(socket: Socket): Places | null {
  const own = Object.getOwnPropertySymbols(socket);
  const [buffer, called, generator] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map((place) =>
    own.find(({ description }) => description === place),
  );
  if (buffer === undefined || called === undefined || generator === undefined) return null;
  return { buffer, called, generator };
}

/**
 * From the next read on. The caller has taken all that was read before. Under TLS the callback hears of each record, also
 * after it has said false: those that were there are decrypted to the last.
 *
 * @returns false, and nothing is changed, where it cannot be done: on a socket that is closed, and by a Node.js that keeps
 * these things elsewhere, for no documentation names them.
 */
export function readInto(socket: Socket, { buffer, callback }: Reading): boolean {
  if (places === undefined) places = placesIn(socket);
  const inner = socket as Socket & Inner;
  const { _handle: handle } = inner;
  if (places === null || typeof handle?.useUserBuffer !== 'function') return false;
  const first = typeof buffer === 'function' ? buffer() : buffer;
  inner[places.buffer] = first;
  inner[places.called] = callback;
  inner[places.generator] = typeof buffer === 'function' ? buffer : null;
  handle.useUserBuffer(first);
  return true;
}
