/**
 * Makes a socket read into a given buffer, as `net.connect` does with `onread`. `node:net` has no such option for
 * accepted sockets, nor `node:tls` for any, and allocating 64 KiB for each read makes an upload three times as
 * expensive (nodejs.org/api/net.html, `onread`).
 */
import type { Socket } from 'node:net';

/**
 * The properties in which `net.Socket` keeps its `onread`: the buffer, the callback, and the function that supplies the
 * next buffer.
 */
interface Places {
  readonly buffer: symbol;
  readonly called: symbol;
  readonly generator: symbol;
}

/** As in `OnReadOpts`. */
export interface Reading {
  readonly buffer: Uint8Array | (() => Uint8Array);
  /** False: stop reading for now. */
  readonly callback: (length: number, bytes: Uint8Array) => boolean;
}

/** Internals that may be missing. */
interface Inner {
  readonly _handle?: { readonly useUserBuffer?: (memory: Uint8Array) => void } | null;
  [place: symbol]: unknown;
}

/** Undefined until the first socket was examined; null: this Node.js has other internals. */
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
 * Applies from the next read on; the caller must first consume everything that has been read. On a TLS socket, the
 * callback is called even after it returned false, until all received records are decrypted.
 *
 * @returns false if nothing was changed: the socket is closed, or this Node.js has other internals, which are
 *   undocumented.
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
