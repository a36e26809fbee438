/** Pauses: for a while, denials of a vendor's services are not enforced, only counted. */
import type { Effect, Pause, PolicyDocument, Service } from '../flow.ts';

/** By vendor; pauses for every vendor have the key null. */
export type Pauses = ReadonlyMap<string | null, readonly Pause[]>;

/** Null if there are none, so that decisions can skip them. */
export function indexPauses({ pauses = [] }: PolicyDocument): Pauses | null {
  if (pauses.length === 0) return null;
  const index = new Map<string | null, Pause[]>();
  for (const pause of pauses) index.set(pause.vendor, [...(index.get(pause.vendor) ?? []), pause]);
  return index;
}

function inForce(pauses: readonly Pause[] | undefined, now: number): Pause | undefined {
  return pauses?.find(({ from, until }) => from <= now && now < until);
}

/** The pause in force for the service's vendor; null if there is none, or no service. */
function pauseOf(pauses: Pauses | null, service: Service | null, now: number): Pause | null {
  if (pauses === null || service === null) return null;
  return inForce(pauses.get(service.vendor), now) ?? inForce(pauses.get(null), now) ?? null;
}

/** Turns the denial of a paused service into `monitor`, and adds the pause. Other effects are unchanged. */
export function lifted<T extends { readonly effect: Effect }>(
  pauses: Pauses | null,
  denial: T,
  service: Service | null,
  now: number,
): T & { readonly pause?: Pause } {
  if (denial.effect !== 'deny') return denial;
  const pause = pauseOf(pauses, service, now);
  return pause === null ? denial : { ...denial, effect: 'monitor', pause };
}
