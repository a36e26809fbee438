/**
 * Preloaded into the proxy that is measured: SIGUSR2 collects its garbage, so that memory in use is what is counted.
 * Where MEMORY_REPORTS names a folder, what is in use then is left there as PID.json.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const reports = process.env['MEMORY_REPORTS'];

process.on('SIGUSR2', () => {
  for (let i = 0; i < 3; i += 1) globalThis.gc?.();
  if (reports === undefined) return;
  const file = join(reports, `${process.pid}.json`);
  writeFileSync(`${file}.new`, JSON.stringify(process.memoryUsage()));
  renameSync(`${file}.new`, file);
});
