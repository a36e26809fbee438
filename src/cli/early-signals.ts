/**
 * Handles signals that `serve` receives while the program is being loaded. By default HUP and USR2 would end the
 * process, and USR1 would open the debugger's port, which gives the CA's key to everybody on the machine. Squid and
 * nginx reopen their logs on USR1.
 */

/** Signals that reload and reopen logs. */
const reloading = ['SIGHUP', 'SIGUSR1'] as const;

let came = false;
const keep = (): void => void (came = true);

/** Called as early as possible; this file imports as little as possible. */
export function keepSignals(): void {
  for (const signal of reloading) process.on(signal, keep);
  // Ignored throughout.
  process.on('SIGUSR2', () => undefined);
}

/** From now on `reload` handles the signals, including, once, those that came earlier. */
export function obeySignals(reload: () => void): void {
  for (const signal of reloading) process.on(signal, reload).off(signal, keep);
  if (came) reload();
}
