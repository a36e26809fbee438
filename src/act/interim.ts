/** Answers before the final one (1xx, RFC 9110, section 15.2). */
import type { ClientRequest } from 'node:http';

/** Servers say 102 every 20 seconds, so that nobody gives up on them; what sends more of them sends nothing else. */
const MOST = 100;

/** Calls `exceeded` for an origin that would have the proxy read such answers for ever. */
export function limitInterim(request: ClientRequest, exceeded: () => void): void {
  let left = MOST;
  request.on('information', () => {
    left -= 1;
    if (left === -1) exceeded();
  });
}
