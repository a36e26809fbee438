/** What people and their tools do to files, and whether the watch hears of it. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { areLocal, watchFiles, wayTo } from '../../src/config/watch.ts';
import type { WatchOptions } from '../../src/config/watch.ts';
import { eventually } from '../support/streams.ts';

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-watch-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Counts what it tells after its first word. Looks at all files only where the test says so. */
async function watching(
  files: readonly string[],
  options: Partial<WatchOptions> & { folders?: readonly string[] } = {},
) {
  const told = { times: 0, log: [] as string[] };
  const watch = watchFiles({
    watched: () => ({ files, folders: options.folders ?? [] }),
    changed: () => {
      told.times += 1;
      return Promise.resolve();
    },
    log: (line) => told.log.push(line),
    quiet: 20,
    look: 3_600_000,
    ...options,
  });
  onTestFinished(() => watch.close());
  await eventually('the first word', () => told.times === 1);
  told.times = 0;
  return told;
}

/** A policy file in a folder of its own. */
function policyFile(): { readonly dir: string; readonly file: string } {
  const dir = folder();
  const file = join(dir, 'policy.yaml');
  writeFileSync(file, 'old');
  return { dir, file };
}

const ways: readonly [string, (dir: string, file: string) => void][] = [
  ['written in place', (_, file) => writeFileSync(file, 'new')],
  ['appended to', (_, file) => appendFileSync(file, 'more')],
  [
    'renamed over',
    (dir, file) => {
      writeFileSync(join(dir, 'x'), 'new');
      renameSync(join(dir, 'x'), file);
    },
  ],
  ['removed', (_, file) => unlinkSync(file)],
  [
    'saved as vim does',
    (_, file) => {
      renameSync(file, `${file}~`);
      writeFileSync(file, 'new');
      unlinkSync(`${file}~`);
    },
  ],
];

test.each(ways)('a file that is %s', async (_, change) => {
  const { dir, file } = policyFile();
  const told = await watching([file]);
  change(dir, file);
  await eventually('told', () => told.times > 0);
});

test.each(ways.filter(([how]) => how !== 'removed'))('and %s once more: the watch goes on', async (_, change) => {
  const { dir, file } = policyFile();
  const told = await watching([file]);
  for (const times of [1, 2, 3]) {
    change(dir, file);
    await eventually('told', () => told.times >= times);
  }
});

test('a file that was removed and comes back', async () => {
  const { file } = policyFile();
  const told = await watching([file]);
  unlinkSync(file);
  await eventually('its end', () => told.times === 1);
  writeFileSync(file, 'new');
  await eventually('its return', () => told.times === 2);
});

test('Kubernetes: the link ..data is swapped, again and again', async () => {
  const dir = folder();
  const version = (name: string): void => {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, 'policy.yaml'), name);
    symlinkSync(name, join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  };
  version('..2026_1');
  symlinkSync('..data/policy.yaml', join(dir, 'policy.yaml'));
  const told = await watching([join(dir, 'policy.yaml')]);
  for (const turn of [2, 3, 4]) {
    version(`..2026_${turn}`);
    rmSync(join(dir, `..2026_${turn - 1}`), { recursive: true });
    const before = turn - 1;
    await eventually(`version ${turn}`, () => told.times >= before);
  }
});

test('a link somewhere on the way to the folder', async () => {
  const dir = folder();
  for (const name of ['one', 'two']) {
    mkdirSync(join(dir, name, 'etc'), { recursive: true });
    writeFileSync(join(dir, name, 'etc/policy.yaml'), name);
  }
  symlinkSync(join(dir, 'one'), join(dir, 'current'));
  const told = await watching([join(dir, 'current/etc/policy.yaml')]);
  symlinkSync(join(dir, 'two'), join(dir, 'next'));
  renameSync(join(dir, 'next'), join(dir, 'current'));
  await eventually('the swap', () => told.times === 1);
  writeFileSync(join(dir, 'two/etc/policy.yaml'), 'newer');
  await eventually('a change behind the new link', () => told.times === 2);
});

test('a folder: files that come, change and go; and the folder itself, exchanged', async () => {
  const dir = folder();
  const vendors = join(dir, 'vendors');
  mkdirSync(vendors);
  const told = await watching([], { folders: [vendors] });
  let times = 0;
  const step = async (what: string, change: () => void): Promise<void> => {
    change();
    times = told.times;
    await eventually(what, () => told.times > times);
  };
  await step('a new file', () => writeFileSync(join(vendors, 'acme.yaml'), 'id: acme'));
  await step('a change', () => writeFileSync(join(vendors, 'acme.yaml'), 'id: acme2'));
  await step('an end', () => unlinkSync(join(vendors, 'acme.yaml')));
  await step('another folder', () => {
    mkdirSync(join(dir, 'new'));
    renameSync(vendors, join(dir, 'old'));
    renameSync(join(dir, 'new'), vendors);
  });
  await step('a file in it', () => writeFileSync(join(vendors, 'acme.yaml'), 'id: acme'));
});

test('a file in folders that are not there yet, and a folder that is not', async () => {
  const dir = folder();
  const told = await watching([join(dir, 'a/b/c/relays.txt')], { folders: [join(dir, 'x/vendors')] });
  let times = 0;
  const step = async (what: string, change: () => void): Promise<void> => {
    change();
    await eventually(what, () => told.times > times);
    times = told.times;
  };
  await step('the first folder', () => mkdirSync(join(dir, 'a')));
  await step('two more', () => mkdirSync(join(dir, 'a/b/c'), { recursive: true }));
  await step('the file', () => writeFileSync(join(dir, 'a/b/c/relays.txt'), 'one.test'));
  await step('the folder above the other', () => mkdirSync(join(dir, 'x')));
  await step('that folder', () => mkdirSync(join(dir, 'x/vendors')));
  await step('a file in it', () => writeFileSync(join(dir, 'x/vendors/acme.yaml'), 'id: acme'));
});

test('a folder that is filled while its coming is taken in', async () => {
  const dir = folder();
  const vendors = join(dir, 'vendors');
  let times = -1;
  const watch = watchFiles({
    watched: () => ({ files: [], folders: [vendors] }),
    changed() {
      times += 1;
      if (times === 1) writeFileSync(join(vendors, 'acme.yaml'), 'id: acme');
      return Promise.resolve();
    },
    log: () => undefined,
    quiet: 20,
    look: 3_600_000,
  });
  onTestFinished(() => watch.close());
  await eventually('the first word', () => times === 0);
  mkdirSync(vendors);
  await eventually('word of the file', () => times === 2);
});

test("what lies beside the files is nobody's business: a log that grows, a file of an editor", async () => {
  const { dir, file } = policyFile();
  const told = await watching([file], { quiet: 1, atMost: 1 });
  for (let i = 0; i < 50; i++) {
    appendFileSync(join(dir, 'access.log'), 'line\n');
    writeFileSync(join(dir, '.policy.yaml.swp'), String(i));
    await new Promise((resolve) => setImmediate(resolve));
  }
  writeFileSync(file, 'new');
  await eventually('the change', () => told.times > 0);
  expect(told.times).toBeLessThanOrEqual(2);
});

test('a storm is told in time, and seldom', async () => {
  const { file } = policyFile();
  const told = await watching([file], { quiet: 100, atMost: 300 });
  const begun = performance.now();
  let first = 0;
  while (performance.now() - begun < 1_000) {
    utimesSync(file, new Date(), new Date());
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (first === 0 && told.times > 0) first = performance.now() - begun;
  }
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(900);
  expect(told.times).toBeLessThanOrEqual(4);
});

test('what changes while a change is taken in is told after it', async () => {
  const { file } = policyFile();
  let release = (): void => undefined;
  let times = -1;
  const held = new Promise<void>((resolve) => (release = resolve));
  const watch = watchFiles({
    watched: () => ({ files: [file], folders: [] }),
    changed: () => {
      times += 1;
      return times === 1 ? held : Promise.resolve();
    },
    log: () => undefined,
    quiet: 20,
  });
  onTestFinished(() => watch.close());
  await eventually('the first word', () => times === 0);
  const other = await watching([file]);
  writeFileSync(file, 'second');
  await eventually('the first', () => times === 1 && other.times === 1);
  writeFileSync(file, 'third');
  await eventually('that another has heard of the next', () => other.times === 2);
  expect(times).toBe(1);
  release();
  await eventually('the second', () => times === 2);
});

test('where the system tells nothing, a look now and then does', async () => {
  const dir = folder();
  const file = join(dir, 'not', 'there', 'policy.yaml');
  const told = await watching([file], { look: 30 });
  mkdirSync(join(dir, 'not/there'), { recursive: true });
  writeFileSync(file, 'new');
  await eventually('told', () => told.times > 0);
});

test.skipIf(process.platform !== 'linux')('only folders of this machine are looked at seldom', async () => {
  // Memory; what the kernel makes up; and what is not there, or may be of another kind once it is.
  expect(await areLocal(['/dev/shm'])).toBe(true);
  expect(await areLocal(['/dev/shm', '/proc'])).toBe(false);
  expect(await areLocal(['/dev/shm', join(folder(), 'not-there')])).toBe(false);
});

test('links that lead in a circle end', () => {
  const dir = folder();
  symlinkSync(join(dir, 'b'), join(dir, 'a'));
  symlinkSync(join(dir, 'a'), join(dir, 'b'));
  expect(wayTo(join(dir, 'a/policy.yaml')).length).toBeLessThan(60);
});

test('a folder that nobody can look into counts as one that is not there, and is watched again once it can be', async () => {
  const dir = folder();
  const [vendors, away] = [join(dir, 'vendors'), join(dir, 'away')];
  mkdirSync(vendors);
  const told = await watching([], { folders: [vendors] });
  renameSync(vendors, away);
  // stat(2) fails with ELOOP, as it does with EACCES or ESTALE where rights or a server are gone.
  symlinkSync(vendors, vendors);
  await eventually('that it is gone', () => told.times === 1);
  unlinkSync(vendors);
  renameSync(away, vendors);
  await eventually('that it is back', () => told.times === 2);
  writeFileSync(join(vendors, 'acme.yaml'), 'id: acme');
  await eventually('a file in it', () => told.times === 3);
});
