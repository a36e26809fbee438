/** Finds the entry that decides about one host in a compiled policy. */
import type { Client, Hostname, Service } from '../flow.ts';
import type { Bucket, Index } from './compile.ts';
import { inForce, isAbout, isFor } from './entry.ts';
import type { Entry } from './entry.ts';
import { productKey } from './subject.ts';
import type { Subject } from './subject.ts';

/**
 * The first entry that applies, from the most to the least specific and by strength within a level; null if none does.
 * The number of unrelated entries does not affect the time.
 */
export function strongest(index: Index, subject: Subject, client: Client, now: number): Entry | null {
  if (index.empty) return null;
  const { host, service } = subject;
  const first = (entries: readonly Entry[] | undefined): Entry | null =>
    entries?.find((entry) => inForce(entry, now) && isAbout(entry, subject) && isFor(entry, client)) ?? null;

  const within = (bucket: Bucket | undefined): Entry | null => {
    if (bucket === undefined) return null;
    let best: Entry | null = null;
    if (bucket.byGroup.size > 0) {
      for (const group of client.groups) best = stronger(best, first(bucket.byGroup.get(group)));
    }
    return best ?? first(bucket.everyone);
  };

  return (
    aboutHost(index, host, within) ??
    (service === null ? null : aboutService(index, service, subject.risks, within)) ??
    within(index.everything)
  );
}

/** The entry that applies for the most specific domain that covers the host, in rules or lists. */
function aboutHost(index: Index, host: Hostname, within: (bucket: Bucket) => Entry | null): Entry | null {
  let first = 0;
  for (const { set } of index.lists) {
    const length = set.find(host);
    if (length > 0) return closestOf(index, host, within, first, length);
    first += 1;
  }
  // Most hosts are on no list.
  return index.domains.pick(host, within);
}

/** Like {@link aboutHost}, with the index of the first list that covers the host, and the length of its domain. */
function closestOf(
  index: Index,
  host: Hostname,
  within: (bucket: Bucket) => Entry | null,
  first: number,
  firstLength: number,
): Entry | null {
  let near = 0;
  let best = index.domains.pick(host, (bucket, length) => {
    const entry = within(bucket);
    if (entry !== null) near = length;
    return entry;
  });
  let i = -1;
  for (const { set, bucket } of index.lists) {
    i += 1;
    if (i < first) continue;
    const length = i === first ? firstLength : set.find(host);
    if (length === 0 || length < near) continue;
    const entry = within(bucket);
    if (entry === null) continue;
    best = length === near ? stronger(best, entry) : entry;
    near = length;
  }
  return best;
}

function aboutService(
  index: Index,
  service: Service,
  risks: readonly string[],
  within: (bucket: Bucket | undefined) => Entry | null,
): Entry | null {
  return (
    within(index.products.get(productKey(service))) ??
    within(index.vendors.get(service.vendor)) ??
    // Tags, risk classes and the channel are one level, at which the strongest entry decides.
    risks.reduce(
      (best, risk) => stronger(best, within(index.risks.get(risk))),
      service.tags.reduce(
        (best, tag) => stronger(best, within(index.tags.get(tag))),
        within(index.channels.get(service.channel)),
      ),
    )
  );
}

function stronger(a: Entry | null, b: Entry | null): Entry | null {
  if (a === null || b === null) return a ?? b;
  return b.order < a.order ? b : a;
}
