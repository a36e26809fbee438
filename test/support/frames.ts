/** HTTP/2 frame by frame (RFC 9113, section 4.1), for clients that no library would be. */
import type { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Lab } from './lab.ts';
import { openTunnel, tlsOver } from './tunnels.ts';

export const type = {
  data: 0,
  headers: 1,
  priority: 2,
  rst: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  more: 9,
} as const;

/** A frame with its head of nine bytes. */
export function frame(kind: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = kind;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function prefixed(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  // HPACK string literals without Huffman coding; the lengths here stay below 127 (RFC 7541, section 5.2).
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** A header block of literal fields that are not indexed (RFC 7541, section 6.2.2). */
export function block(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), prefixed(name), prefixed(value)])),
  );
}

export function getBlock(authority: string, more: readonly (readonly [string, string])[] = []): Buffer {
  const pseudo = [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/'],
    [':authority', authority],
  ] as const;
  return block([...pseudo, ...more]);
}

export interface FrameClient {
  /** False once the connection is gone. */
  readonly write: (bytes: Uint8Array) => boolean;
  /** Resolves when the connection is gone, or rejects after its patience in milliseconds. */
  readonly gone: (patience: number) => Promise<void>;
  /** Frames that came, as `[type, flags, stream]`, and for RST_STREAM and GOAWAY the code. */
  readonly frames: () => readonly (readonly [kind: number, flags: number, stream: number, code: number])[];
  readonly alive: () => boolean;
  readonly close: () => void;
}

/** A connection to a denied host behind the proxy, with preface and SETTINGS sent. */
export async function frameClient(lab: Lab, authority: string, servername: string): Promise<FrameClient> {
  const socket = await openTunnel(lab.proxyPort, authority);
  return framesOver(await tlsOver(socket, { ca: lab.ca, servername, ALPNProtocols: ['h2'] }));
}

/** The same on TLS that is there already. */
export function framesOver(tls: TLSSocket): FrameClient {
  const chunks: Buffer[] = [];
  tls.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) tls.once(event, () => resolve());
  });
  let alive = true;
  void closed.then(() => (alive = false));
  onTestFinished(() => void tls.destroy());
  tls.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  tls.write(frame(type.settings, 0, 0));
  return {
    write: (bytes) => (alive && tls.writable ? (tls.write(bytes), true) : false),
    alive: () => alive,
    close: () => void tls.destroy(),
    async gone(patience) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`still there after ${patience} ms`)), patience);
      });
      await Promise.race([closed, late]);
      clearTimeout(timer);
    },
    frames() {
      const bytes = Buffer.concat(chunks);
      const found: [number, number, number, number][] = [];
      for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
        const kind = bytes[at + 3] ?? 0;
        const codeAt = at + 9 + (kind === type.goaway ? 4 : 0);
        const coded = (kind === type.goaway || kind === type.rst) && codeAt + 4 <= bytes.length;
        found.push([kind, bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5), coded ? bytes.readUInt32BE(codeAt) : 0]);
      }
      return found;
    },
  };
}
