/** The speaker for connections that begin with a CONNECT: nearly all of them. */
import type { Socket } from 'node:net';
import { SallyportError, type ErrorCode } from '../errors.ts';
import type { TunnelArrival } from '../flow.ts';
import type { Fields } from './access.ts';
import { originOf, type Origin } from './arrival.ts';
import { fieldsOf, readConnectHead, type ConnectHead } from './connect-head.ts';
import type { Speaker } from './front-door.ts';
import { parseAuthority } from './target.ts';

export interface ConnectOptions {
  readonly arrived: (arrival: TunnelArrival, fields: Fields) => void;
  readonly reject: (socket: Socket, origin: Origin, code: ErrorCode, detail: string) => void;
}

const token = Buffer.from('CONNECT ');
/** A subarray of the head would keep the head's memory for as long as the tunnel lives. */
const nothing = Buffer.alloc(0);

function beginsWithConnect(bytes: Buffer): 'yes' | 'no' | 'more' {
  const length = Math.min(bytes.length, token.length);
  if (bytes.compare(token, 0, length, 0, length) !== 0) return 'no';
  return length === token.length ? 'yes' : 'more';
}

/**
 * Makes the arrival of a CONNECT, whether it was first on its connection or came on a kept-alive one.
 *
 * @throws {SallyportError} `invalid_target`
 */
export function tunnelArrival(
  socket: Socket,
  head: Omit<ConnectHead, 'length'>,
  early: Buffer,
  origin: Origin,
): TunnelArrival {
  return {
    kind: 'tunnel',
    ...origin,
    target: parseAuthority(head.authority),
    userAgent: head.userAgent,
    socket,
    early,
  };
}

export function createConnectSpeaker(options: ConnectOptions): Speaker {
  return {
    name: 'connect',
    recognises: beginsWithConnect,
    serve(socket, bytes) {
      const read = readConnectHead(bytes);
      if (read.kind === 'more') return 'more';
      const origin = originOf(socket);
      if (read.kind === 'bad') {
        options.reject(socket, origin, read.code, read.detail);
        return 'taken';
      }
      try {
        const { length } = read.head;
        const arrival = tunnelArrival(
          socket,
          read.head,
          bytes.length === length ? nothing : bytes.subarray(length),
          origin,
        );
        options.arrived(arrival, (name) => fieldsOf(bytes.subarray(0, length), name));
      } catch (error) {
        const known = error instanceof SallyportError;
        options.reject(socket, origin, known ? error.code : 'internal_error', known ? error.message : 'arrival failed');
      }
      return 'taken';
    },
  };
}
