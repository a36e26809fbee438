/** What `sallyport doctor` found: one line of fact, and the cure where there is something to do. */
export interface Finding {
  /** What was looked at, such as `port proxy`. */
  readonly check: string;
  /** `skipped`: it could not be looked at, or there is nothing of the kind on this machine. */
  readonly status: 'good' | 'warning' | 'bad' | 'skipped';
  readonly says: string;
  /** What to do, in one line; null where there is nothing. */
  readonly cure: string | null;
}

export function good(check: string, says: string): Finding {
  return { check, status: 'good', says, cure: null };
}

export function skipped(check: string, says: string): Finding {
  return { check, status: 'skipped', says, cure: null };
}

export function warning(check: string, says: string, cure: string): Finding {
  return { check, status: 'warning', says, cure };
}

export function bad(check: string, says: string, cure: string): Finding {
  return { check, status: 'bad', says, cure };
}

/** `ENOENT` and its like, or the message. */
export function faultOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
