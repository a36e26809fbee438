/** Bodies delimited by the close of the connection (RFC 9112, section 6.3). */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { wasReset } from '../reset.ts';

/**
 * Calls `cut` if a body without a length ends with a reset: it is incomplete (RFC 9112, section 8), but `node:http`
 * emits `end` anyway. Call this before adding other `end` listeners to the response.
 */
export function onTruncated(request: ClientRequest, answer: IncomingMessage, cut: () => void): void {
  const { headers, socket } = answer;
  const measured = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (measured || request.shouldKeepAlive) return;
  let reset = false;
  socket.prependOnceListener('end', () => (reset = wasReset(socket)));
  answer.once('end', () => {
    if (reset || socket.errored !== null) cut();
  });
}
