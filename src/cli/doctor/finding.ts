/** A result of `sallyport doctor`: one line of fact, and what to do if anything. */
export interface Finding {
  /** What was checked, such as `port proxy`. */
  readonly check: string;
  /** `skipped`: it could not be checked, or does not exist on this machine. */
  readonly status: 'good' | 'warning' | 'bad' | 'skipped';
  readonly says: string;
  /** What to do, in one line; null if nothing. */
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

/** The error code, such as `ENOENT`, or the message. */
export function faultOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
