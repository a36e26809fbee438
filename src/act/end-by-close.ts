/** Bodies that end with their connection (RFC 9112, section 6.3). */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { wasReset } from '../reset.ts';

/**
 * Hears of a body that has no length and ended with a reset: what came of it is not the whole (RFC 9112, section 8),
 * but `node:http` ends the message all the same. To be called before anybody else listens to the answer's end.
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
