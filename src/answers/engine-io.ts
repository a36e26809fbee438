/**
 * Denials for Socket.IO over WebSocket. Its client waits for the server's first packet (Engine.IO protocol,
 * "Handshake") and ignores the reason of a close frame, so that people would see a timeout after 20 seconds; it shows
 * the message of a refused connection (Socket.IO protocol, CONNECT_ERROR; ERROR before version 5).
 */
import type { RequestFacts } from '../flow.ts';

/** Milliseconds and bytes, as servers have them by default. Nothing lasts that long here. */
const limits = { pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 };

/** The version of the protocol if the request is one for Engine.IO over WebSocket. */
function versionOf({ path }: RequestFacts): number | null {
  const version = /[?&]EIO=([34])(?:&|$)/.exec(path)?.[1];
  return version !== undefined && /[?&]transport=websocket(?:&|$)/.test(path) ? Number(version) : null;
}

/** The text messages to send before the close frame; none for other protocols. */
export function engineIoMessages(facts: RequestFacts, id: string, message: string): readonly string[] {
  const version = versionOf(facts);
  if (version === null) return [];
  const open = `0${JSON.stringify({ sid: id, upgrades: [], ...limits })}`;
  return [open, `44${JSON.stringify(version === 4 ? { message } : message)}`];
}
