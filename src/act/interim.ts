/** Interim responses (1xx, RFC 9110, section 15.2). */
import type { ClientRequest } from 'node:http';

/** Well above what a slow origin needs: servers send 102 every 20 seconds as a sign of life. */
const MOST = 100;

/** Calls `exceeded` if the origin sends more than {@link MOST}: it could keep the proxy reading forever. */
export function limitInterim(request: ClientRequest, exceeded: () => void): void {
  let left = MOST;
  request.on('information', () => {
    left -= 1;
    if (left === -1) exceeded();
  });
}
