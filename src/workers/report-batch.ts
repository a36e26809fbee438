/** Batches a worker's reports, so that a busy worker sends few messages. */
import type { Login } from '../identify/password-attempts.ts';
import type { Blocked } from '../record/blocks.ts';
import type { TrustNote } from '../record/trust.ts';
import type { ToPrimary } from './messages.ts';

/** Milliseconds until a batch is sent: a user who was just denied must find the page about it. */
const GATHERING = 20;

/** Number of reports after which a batch is sent early, to keep messages small. */
const MAX_BATCH = 500;

export interface ReportBatch {
  readonly blocked: (blocked: Blocked) => void;
  readonly note: (note: TrustNote) => void;
  readonly loggedIn: (login: Login) => void;
  /** Sends the current batch. */
  readonly flush: () => void;
}

export function createReportBatch(send: (message: ToPrimary) => void): ReportBatch {
  let blocked: Blocked[] = [];
  let notes: TrustNote[] = [];
  let logins: Login[] = [];
  let timer: NodeJS.Timeout | null = null;

  const gathered = (): number => blocked.length + notes.length + logins.length;
  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (gathered() === 0) return;
    send({ kind: 'reports', blocked, notes, logins });
    blocked = [];
    notes = [];
    logins = [];
  };
  const gather = (): void => {
    if (gathered() >= MAX_BATCH) flush();
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
    loggedIn(one) {
      logins.push(one);
      gather();
    },
    flush,
  };
}
