/** Writers of exceptions are killed at any moment, and nothing that they said was safe is lost. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { changeExceptions } from '../../src/config/exception-store.ts';
import { readExceptions } from '../../src/config/exceptions-file.ts';
import { repository } from '../support/lab.ts';
import { build } from '../support/product.ts';

const KILLS = 200;
const WRITERS = 4;

interface Killed {
  readonly safe: readonly string[];
  /** Before it was killed it said nothing that it was not asked to. */
  readonly complaint: string;
}

/** Starts a writer, and kills it within so many milliseconds of the first exception that is safe. */
async function killOne(file: string, name: string, within: number): Promise<Killed> {
  const writer = spawn(process.execPath, [join(repository, 'test/fixtures/exception-writer.mjs'), file, name]);
  let [out, err] = ['', ''];
  const begun = new Promise<void>((resolve) => {
    writer.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      resolve();
    });
    writer.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
      resolve();
    });
  });
  const ended = new Promise<void>((resolve) => void writer.once('close', () => resolve()));
  await Promise.race([begun, ended]);
  await sleep(Math.random() * within);
  writer.kill('SIGKILL');
  await ended;
  // A line without its break was not said.
  return { safe: out.split('\n').slice(0, -1), complaint: err };
}

test(
  `${KILLS} killed writers leave a file that can be read, with all that was safe`,
  { timeout: 180_000 },
  async () => {
    build();
    const dir = mkdtempSync(join(tmpdir(), 'sallyport-killed-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const file = join(dir, 'exceptions.jsonl');
    const safe: string[] = [];
    const complaints: string[] = [];
    let left = KILLS;
    const killThem = async (writer: number): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const killed = await killOne(file, `writer-${writer}-${left}`, 40);
        safe.push(...killed.safe);
        if (killed.complaint !== '') complaints.push(killed.complaint);
        // Readable after each: what cannot be read throws.
        readExceptions(file);
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => killThem(writer)));

    expect(complaints).toEqual([]);
    const ids = new Set(Array.from(readExceptions(file).lines.values(), ({ id }) => id));
    expect(safe.filter((id) => !ids.has(id))).toEqual([]);
    // Kills that never meet a writer at work prove nothing; one that is killed may have written what it could not say.
    expect(safe.length).toBeGreaterThan(KILLS);
    expect(ids.size - safe.length).toBeGreaterThanOrEqual(0);
    expect(ids.size - safe.length).toBeLessThanOrEqual(KILLS);

    // Who comes next finds neither a lock nor a half-written file in the way, and takes away what is left of them.
    await changeExceptions(file, () => ({ append: [], replace: new Map() }));
    expect(readdirSync(dir)).toEqual(['exceptions.jsonl']);
  },
);
