/** Large read buffers: a limited number of them, lent to the downloads whose bytes keep coming. */

const SIZE = 1024 * 1024;
/** Bytes of all of them: 64 MiB. Further downloads do with less. */
const MAX = 64;
/** Milliseconds without use after which a buffer is taken back. */
const REST = 1_000;

export interface Loan {
  readonly buffer: Buffer;
  /** To be set at each use. */
  isUsed: boolean;
  /** Called once the buffer was not used for a while: the borrower gives it back, if it can. */
  readonly rested: () => void;
}

const loans = new Set<Loan>();
const free: Buffer[] = [];
let sweep: NodeJS.Timeout | null = null;

function lookAtLoans(): void {
  for (const loan of loans) {
    if (!loan.isUsed) loan.rested();
    loan.isUsed = false;
  }
}

/** How many are lent. */
export const lent = (): number => loans.size;

/** Null: all are lent. */
export function borrow(rested: () => void): Loan | null {
  const kept = free.pop();
  if (kept === undefined && loans.size >= MAX) return null;
  const loan: Loan = { buffer: kept ?? Buffer.allocUnsafeSlow(SIZE), isUsed: true, rested };
  loans.add(loan);
  sweep ??= setInterval(lookAtLoans, REST).unref();
  return loan;
}

/** @param isRead a pending write still reads the buffer, so it is left to the garbage collector. */
export function giveBack(loan: Loan, isRead: boolean): void {
  if (!loans.delete(loan)) return;
  if (!isRead) free.push(loan.buffer);
  if (loans.size > 0 || sweep === null) return;
  clearInterval(sweep);
  sweep = null;
}
