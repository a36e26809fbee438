/** Tells whoever carries out a request that the rest of it cannot be read, which only the HTTP server notices. */
import type { ServerResponse } from 'node:http';
import type { ErrorCode } from './errors.ts';

type OnBroken = (code: ErrorCode) => void;

const BROKEN = Symbol('broken');

interface Carried {
  [BROKEN]?: OnBroken;
}

/** @param onBroken answers and records the failure, if the response has not begun. */
export function whenBroken(res: ServerResponse & Carried, onBroken: OnBroken): void {
  res[BROKEN] = onBroken;
}

/** @returns false if nobody carries it out. */
export function tellBroken(res: ServerResponse & Carried, code: ErrorCode): boolean {
  res[BROKEN]?.(code);
  return res[BROKEN] !== undefined;
}
