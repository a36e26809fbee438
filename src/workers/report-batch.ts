/** Gathers what a worker has to tell, so that a busy one sends few messages. */
import type { Blocked } from '../record/blocks.ts';
import type { TrustNote } from '../record/trust.ts';
import type { ToPrimary } from './messages.ts';

/** Milliseconds until a batch is sent: a user who was just denied must find the page about it. */
const GATHERING = 20;

/** Number of reports after which a batch is sent early, to keep messages small. */
const ENOUGH = 500;

export interface ReportBatch {
  readonly blocked: (blocked: Blocked) => void;
  readonly note: (note: TrustNote) => void;
  /** Sends what has been gathered. */
  readonly flush: () => void;
}

export function createReportBatch(send: (message: ToPrimary) => void): ReportBatch {
  let blocked: Blocked[] = [];
  let notes: TrustNote[] = [];
  let timer: NodeJS.Timeout | null = null;

  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (blocked.length + notes.length === 0) return;
    send({ kind: 'reports', blocked, notes });
    blocked = [];
    notes = [];
  };
  const gather = (): void => {
    if (blocked.length + notes.length >= ENOUGH) flush();
    else timer ??= setTimeout(flush, GATHERING);
  };

  return {
    blocked(one) {
      blocked.push(one);
      gather();
    },
    note(one) {
      notes.push(one);
      gather();
    },
    flush,
  };
}
