/**
 * Signals for `serve` that come before it can obey them, while the program is still being loaded. By themselves HUP and
 * USR2 would end the process, and USR1 would open the port of the debugger, which is the key of the CA to everybody on
 * this machine. Squid and nginx open their logs anew by USR1.
 */

/** Signals that reload, and open logs anew. */
const reloading = ['SIGHUP', 'SIGUSR1'] as const;

let came = false;
const keep = (): void => void (came = true);

/** From the first moment that is ours on; imports as little as can be. */
export function keepSignals(): void {
  for (const signal of reloading) process.on(signal, keep);
  // Means nothing, now or later.
  process.on('SIGUSR2', () => undefined);
}

/** Obeys signals from now on, and those that came before once. */
export function obeySignals(reload: () => void): void {
  for (const signal of reloading) process.on(signal, reload).off(signal, keep);
  if (came) reload();
}
