import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Address } from '../../src/admin/http-server.ts';

/** Sends `head` as it is, with the line ends and the closing header that every test needs, and returns the answer. */
export async function raw({ host, port }: Address, head: readonly string[], body = ''): Promise<string> {
  const socket = connect(port, host);
  socket.write(`${[...head, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`);
  return text(socket);
}

/** The status of a raw answer. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
}
