/** Decides whether a new connection is admitted: PROXY protocol, client networks, connections per client. */
import type { Socket } from 'node:net';
import { peerAddress } from '../ip.ts';
import type { Admit } from './front-door.ts';
import { clientKey, introduce, peerOf } from './peers.ts';
import { readProxyHeader, type ProxiedPeer } from './proxy-protocol.ts';
import type { ConcurrencyLimit } from './concurrency-limit.ts';

export interface AdmissionOptions {
  /** Load balancers: their connections must begin with a PROXY header, and others must not. */
  readonly proxies: (address: string) => boolean;
  /** Clients that may use the proxy. */
  readonly serves: (address: string) => boolean;
  /** Limits the connections of each client. */
  readonly connections: ConcurrencyLimit;
}

type TurnAway = Parameters<Admit>[2];

/** Reads the PROXY header and returns what follows it to the socket. */
function awaitHeader(socket: Socket, turnAway: TurnAway, then: (peer: ProxiedPeer | null) => void): void {
  let held: Buffer | null = null;
  const stop = (): void => void socket.pause().off('data', onData).off('end', onEnd);
  const onEnd = (): void => {
    stop();
    // Load balancers probe the port by connecting every few seconds, which is neither an attempt nor a failure.
    if (held === null) socket.end();
    else turnAway('malformed_request', 'PROXY protocol: the connection ended before its header');
  };
  const onData = (chunk: Buffer): void => {
    held = held === null ? chunk : Buffer.concat([held, chunk]);
    const read = readProxyHeader(held);
    if (read.kind === 'more') return;
    stop();
    if (read.kind === 'bad') {
      turnAway('malformed_request', read.detail);
      return;
    }
    if (held.length > read.length) socket.unshift(held.subarray(read.length));
    then(read.peer);
  };
  socket.on('data', onData).once('end', onEnd);
}

export function createAdmission({ proxies, serves, connections }: AdmissionOptions): Admit {
  const admit = (socket: Socket, go: () => void, turnAway: TurnAway): void => {
    const address = peerAddress(peerOf(socket).remoteAddress);
    if (!serves(address)) {
      turnAway('client_prohibited', `${address} is not in clients.networks`);
      return;
    }
    const key = clientKey(address);
    if (!connections.acquire(key)) {
      turnAway('client_limit', `${connections.most()} connections of this client are open`);
      return;
    }
    socket.on('close', () => connections.release(key));
    go();
  };

  return (socket, go, turnAway) => {
    if (!proxies(peerAddress(socket.remoteAddress))) {
      admit(socket, go, turnAway);
      return;
    }
    awaitHeader(socket, turnAway, (peer) => {
      if (peer !== null) introduce(socket, { remoteAddress: peer.address, remotePort: peer.port });
      admit(socket, go, turnAway);
    });
  };
}
