/** Makes arrivals of requests that came complete and alone and can only be denied. */
import type { TLSSocket } from 'node:tls';
import type { LoneArrival } from '../flow.ts';
import { userAgentOf } from './arrival.ts';
import { originInside, type Inside } from './inside.ts';
import { addressTunnelled, type Addressed } from './request.ts';
import type { WholeRequest } from './whole-request.ts';

/** Null for an invalid request, which the HTTP server reports to its client. */
function addressed(request: WholeRequest, { target, scheme }: Inside): Addressed | null {
  try {
    return addressTunnelled(request, target, scheme);
  } catch {
    return null;
  }
}

/** Null for a request that an HTTP server has to read, and may have to forward. */
export function loneArrival(socket: TLSSocket, inside: Inside, request: WholeRequest): LoneArrival | null {
  if (inside.denial === null || inside.denial.letAccountCallsPass === true) return null;
  const asked = addressed(request, inside);
  if (asked === null) return null;
  const { id, at, started, clientAddress, clientPort, user, forwarded } = originInside(inside);
  return {
    kind: 'request',
    id,
    at,
    started,
    clientAddress,
    clientPort,
    user,
    forwarded,
    target: asked.target,
    facts: asked.facts,
    userAgent: userAgentOf(request),
    socket,
    tunnel: inside,
  };
}
