/** Preloaded into the proxy that is measured: SIGUSR2 collects its garbage, so that memory in use is what is counted. */
import process from 'node:process';

process.on('SIGUSR2', () => {
  for (let i = 0; i < 3; i += 1) globalThis.gc?.();
});
