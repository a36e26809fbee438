/**
 * Closes HTTP/2 sessions without marking them as closed. A session of Node.js 20 that is so marked resets every further
 * stream while nghttp2 is still reading it, which frees memory that is then used: a client that sends requests after
 * its GOAWAY would end the process. Node.js itself calls `close()` when a client sends GOAWAY.
 */
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

/**
 * Replaces `close` of a new session: it ends once no stream is open. A client may open streams after its own GOAWAY
 * (RFC 9113, section 6.8); call `goaway` first to have them ignored.
 *
 * @param headTimeout milliseconds until the first stream; without one, the session is closed.
 */
export function closeWithoutMark(session: ServerHttp2Session, headTimeout: number): void {
  let open = 0;
  let leaving = false;
  const leaveIfDone = (): void => {
    if (leaving && open === 0) session.destroy();
  };
  session.close = () => {
    if (leaving || session.destroyed) return;
    leaving = true;
    // Streams that came in one read with a GOAWAY have yet to be announced.
    setImmediate(leaveIfDone);
  };
  const late = setTimeout(() => session.destroy(), headTimeout);
  session.once('close', () => clearTimeout(late));
  session.on('stream', (stream: ServerHttp2Stream) => {
    clearTimeout(late);
    open += 1;
    stream.once('close', () => {
      open -= 1;
      setImmediate(leaveIfDone);
    });
  });
}
