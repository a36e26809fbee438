/** Pauses: what is denied of a vendor is let through and counted for a while. */
import type { Effect, Pause, PolicyDocument, Service } from '../flow.ts';

/** By vendor; under null those of every vendor. */
export type Pauses = ReadonlyMap<string | null, readonly Pause[]>;

/** Null where there are none, so that a decision asks nothing. */
export function indexPauses({ pauses = [] }: PolicyDocument): Pauses | null {
  if (pauses.length === 0) return null;
  const index = new Map<string | null, Pause[]>();
  for (const pause of pauses) index.set(pause.vendor, [...(index.get(pause.vendor) ?? []), pause]);
  return index;
}

function inForce(pauses: readonly Pause[] | undefined, now: number): Pause | undefined {
  return pauses?.find(({ from, until }) => from <= now && now < until);
}

/** The pause of the service's vendor; null where none is in force, and for what is no service of the catalogue. */
function pauseOf(pauses: Pauses | null, service: Service | null, now: number): Pause | null {
  if (pauses === null || service === null) return null;
  return inForce(pauses.get(service.vendor), now) ?? inForce(pauses.get(null), now) ?? null;
}

/** A denial of the service becomes one that is only counted, and bears the pause that it is lifted by. */
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
