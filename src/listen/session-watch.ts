/**
 * Ends HTTP/2 sessions that are dead without noticing. Node.js 20 sends GOAWAY to a client that violates the protocol
 * and then neither reads nor closes, so such a connection would stay open as long as the process (CVE-2026-48937).
 * After a client's own GOAWAY, Node.js waits for it to close without a limit. A session whose client answers a PING is
 * alive (RFC 9113, section 6.7).
 */
import type { ServerHttp2Session } from 'node:http2';

/** Milliseconds between two checks; a dead session is closed at the second. */
const INTERVAL = 1_500;

interface Watched {
  /** Bytes that had been read when it last proved to be alive. */
  proven: number;
  waiting: boolean;
  /** Ends the connection below, whatever the state of the session. */
  readonly cut: () => void;
}

export interface SessionWatch {
  readonly add: (session: ServerHttp2Session, cut: () => void) => void;
  readonly stop: () => void;
}

/** One timer for all sessions. A session is pinged only after something was sent on it. */
export function createSessionWatch(): SessionWatch {
  const watched = new Map<ServerHttp2Session, Watched>();

  const look = (session: ServerHttp2Session, state: Watched): void => {
    if (session.destroyed) {
      if (state.waiting) state.cut();
      state.waiting = true;
      return;
    }
    if (state.waiting) {
      session.destroy();
      return;
    }
    if (session.socket.bytesRead === state.proven) return;
    state.waiting = true;
    const asked = session.ping((error) => {
      if (error !== null || session.destroyed) return;
      state.waiting = false;
      state.proven = session.socket.bytesRead;
    });
    if (!asked) session.destroy();
  };

  const timer = setInterval(() => {
    for (const [session, state] of watched) look(session, state);
  }, INTERVAL);
  timer.unref();

  return {
    add(session, cut) {
      watched.set(session, { proven: 0, waiting: false, cut });
      session.once('close', () => watched.delete(session));
    },
    stop: () => clearInterval(timer),
  };
}
