/** A policy that changes under load: in time, whole, and without a client that notices anything but the new answer. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { labPolicy, type Lab } from '../support/lab.ts';
import { labOfTest } from '../support/origins.ts';
import { eventually, httpOrigin } from '../support/streams.ts';
import { acmeVendor as acme } from '../support/vendor.ts';

/** The policy number `turn`: `flip.test` is denied with that number as the reason. */
function policyOf(turn: number, rest = labPolicy): string {
  const rule = `- { id: flip, domains: flip.test, effect: deny, reason: 'turn ${turn}.' }`;
  return rest.replace('rules:', `rules:\n  ${rule}`);
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A request through the proxy; rejects where no whole answer comes. */
function ask(lab: Lab, url: string, agent: Agent | false = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host } = new URL(url);
    const asked = request({ host: '127.0.0.1', port: lab.proxyPort, path: url, headers: { host }, agent }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text })).on('error', reject);
    });
    asked.on('error', reject).end();
  });
}

/** The number of the policy that answers. */
async function turnNow(lab: Lab): Promise<number> {
  const { status, text } = await ask(lab, 'http://flip.test/');
  const turn = /turn (\d+)\./.exec(text)?.[1];
  if (status !== 403 || turn === undefined) throw new Error(`a wrong answer: ${status} ${text}`);
  return Number(turn);
}

/** Milliseconds until the policy `turn` answers; at no time may an older one answer than before. */
async function until(lab: Lab, turn: number): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const now = await turnNow(lab);
    if (now === turn) return performance.now() - begun;
    expect(now).toBe(turn - 1);
    if (performance.now() - begun > 10_000) throw new Error(`policy ${turn} never answers`);
  }
}

/** Clients that ask all the time; what is not the answer of the origin ends them. */
function load(lab: Lab, port: number, clients: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let stopped = false;
  let served = 0;
  const client = async (kept: Agent | false): Promise<void> => {
    while (!stopped) {
      const { status, text } = await ask(lab, `http://ok.test:${port}/`, kept);
      if (status !== 200 || text !== 'origin') throw new Error(`a wrong answer: ${status} ${text}`);
      served += 1;
      // The processor is for the reloads too.
      await setTimeout(5);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, (_, i) => client(i % 2 === 0 ? agent : false)));
  return {
    served: () => served,
    stop: async () => {
      stopped = true;
      await all;
      agent.destroy();
    },
  };
}

const watching = { settings: { reload: 'watch' } };

interface Turns {
  readonly turns: number;
  /** So many of them act by themselves; the others at an operator's wish. */
  readonly byFile: number;
  readonly policy: (turn: number) => string;
}

/** Reloads under load; gives the milliseconds that those took which act by themselves. */
async function reloads(lab: Lab, port: number, { turns, byFile, policy }: Turns): Promise<readonly number[]> {
  const file = join(lab.dir, 'policy.yaml');
  const clients = load(lab, port, 6);
  const took: number[] = [];
  for (let turn = 1; turn <= byFile; turn++) {
    if (turn % 2 === 0) writeFileSync(file, policy(turn));
    else {
      writeFileSync(`${file}.new`, policy(turn));
      renameSync(`${file}.new`, file);
    }
    took.push(await until(lab, turn));
  }
  for (let turn = byFile + 1; turn <= turns; turn++) {
    writeFileSync(file, policy(turn));
    expect(await lab.gateway.refresh()).toBe(true);
    expect(await turnNow(lab)).toBe(turn);
  }
  await clients.stop();
  expect(clients.served()).toBeGreaterThan(500);
  expect(lab.told.filter((line) => !line.startsWith('reloaded: '))).toEqual([]);
  expect(await lab.metric('sallyport_config_last_reload_successful')).toBe(1);
  expect(await lab.metric('sallyport_policy_info', lab.gateway.config().policyHash)).toBe(1);
  return took;
}

/** By default a part of them by file, for that takes its time: `RELOADS=1000` does all that way. */
const watched = Number(process.env['RELOADS'] ?? 40);
/** With the whole catalogue, of which each reload looks at 1,500 files; the rest has one vendor. */
const whole = Math.max(100, watched);

test('1,000 reloads under load: nobody is refused, no answer is wrong, and each change acts within a second', async () => {
  const origin = await httpOrigin((_, res) => res.end('origin'));
  const lab = await labOfTest({ policy: policyOf(0), ...watching });
  const took = await reloads(lab, origin.port, { turns: whole, byFile: watched, policy: policyOf });
  expect(Math.max(...took)).toBeLessThan(1_000);
  if (whole >= 1_000) return;

  const vendors = mkdtempSync(join(tmpdir(), 'sallyport-vendors-'));
  onTestFinished(() => rmSync(vendors, { recursive: true, force: true }));
  writeFileSync(join(vendors, 'acme.yaml'), acme);
  const ofAcme = labPolicy.replaceAll(/vendors: \w+/g, 'vendors: acme');
  const policy = (turn: number): string => policyOf(turn, ofAcme);
  const small = await labOfTest({ policy: policy(0), settings: { ...watching.settings, vendors } });
  await reloads(small, origin.port, { turns: 1_000 - whole, byFile: 0, policy });
}, 600_000);

const spoils: readonly [string, (file: string) => void][] = [
  ['half written', (file) => writeFileSync(file, policyOf(1).slice(0, 300))],
  ['empty', (file) => writeFileSync(file, '')],
  ['gone', (file) => unlinkSync(file)],
  [
    'a folder',
    (file) => {
      unlinkSync(file);
      mkdirSync(file);
    },
  ],
  [
    'a link to nothing',
    (file) => {
      unlinkSync(file);
      symlinkSync('/nowhere', file);
    },
  ],
  ['not text', (file) => writeFileSync(file, Buffer.from([0xff, 0xfe, 0x00]))],
];

test.each(spoils)('a file that is %s changes nothing, is told once, and may be put right', async (_, spoil) => {
  const lab = await labOfTest({ policy: policyOf(0), ...watching });
  const file = join(lab.dir, 'policy.yaml');
  const failed = () => lab.told.filter((line) => line.startsWith('reload failed, the old policy stays: '));
  spoil(file);
  await eventually('a line in the log', () => failed().length === 1);
  expect(failed()[0]).toContain('policy.yaml');
  expect(await lab.metric('sallyport_config_last_reload_successful')).toBe(0);
  expect(await turnNow(lab)).toBe(0);
  rmSync(file, { recursive: true, force: true });
  writeFileSync(file, policyOf(1));
  await until(lab, 1);
  expect(failed()).toHaveLength(1);
  expect(await lab.metric('sallyport_config_last_reload_successful')).toBe(1);
});

test('somebody who writes slowly is not told off', async () => {
  const lab = await labOfTest({ policy: policyOf(0), ...watching });
  const file = join(lab.dir, 'policy.yaml');
  writeFileSync(file, policyOf(1).slice(0, 300));
  await setTimeout(150);
  writeFileSync(file, policyOf(1));
  await until(lab, 1);
  expect(lab.told).toEqual([expect.stringMatching(/^reloaded: /)]);
});

test('files that are put back as they were end a failure', async () => {
  const lab = await labOfTest({ policy: policyOf(0), ...watching });
  const file = join(lab.dir, 'policy.yaml');
  writeFileSync(file, 'rules: [');
  await eventually('the failure', () => lab.told.length === 1);
  writeFileSync(file, policyOf(0));
  await eventually('its end', () => lab.told.length === 2);
  expect(lab.told[1]).toMatch(/^reloaded: .*, unchanged$/);
});

/** A rule by a list, which denies `flip.test`. */
const byList = labPolicy.replace(
  'rules:',
  `lists: { relays: { file: more/relays.txt } }
rules:
  - { id: relays, lists: relays, effect: deny, reason: 'turn 1.' }`,
);

test('a list that is made after the policy that names it', async () => {
  const lab = await labOfTest({ policy: policyOf(0), ...watching });
  const failed = () => lab.told.filter((line) => line.startsWith('reload failed, the old policy stays: '));
  writeFileSync(join(lab.dir, 'policy.yaml'), byList);
  await eventually('the failure', () => failed().length === 1);
  expect(failed()[0]).toMatch(/policy\.yaml:\d+:\d+: there is no file .*relays\.txt; create it/);
  mkdirSync(join(lab.dir, 'more'));
  writeFileSync(join(lab.dir, 'more/relays.txt'), '<html>\n');
  await eventually('that it is none', () => failed().length === 2);
  writeFileSync(join(lab.dir, 'more/relays.txt'), 'flip.test\n');
  await until(lab, 1);
});

test('an overlay that is made after the line that names it, and a vendor in it', async () => {
  const lab = await labOfTest({ policy: labPolicy.replace('catalogue: monitor', 'catalogue: deny'), ...watching });
  const answer = async () => (await ask(lab, 'http://chat.acme-ai.test/')).text;
  writeFileSync(lab.file, `${readFileSync(lab.file, 'utf8')}vendors_overlay: mine\n`);
  await eventually('the failure', () => lab.told.length === 1);
  expect(lab.told[0]).toMatch(/^reload failed, .*sallyport\.yaml:\d+:\d+: .*mine: /);
  mkdirSync(join(lab.dir, 'mine'));
  await eventually('the empty overlay', () => lab.told.some((line) => line.startsWith('reloaded: ')));
  writeFileSync(join(lab.dir, 'mine/acme.yaml'), acme);
  await expect.poll(answer).toContain('acme');
});

test('Kubernetes: policy and settings of a mounted ConfigMap', async () => {
  const lab = await labOfTest({ policy: policyOf(0) });
  const mount = join(lab.dir, 'mount');
  const version = (turn: number): void => {
    const name = `..2026_${turn}`;
    mkdirSync(join(mount, name), { recursive: true });
    writeFileSync(join(mount, name, 'policy.yaml'), policyOf(turn));
    symlinkSync(name, join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
  };
  version(1);
  symlinkSync('..data/policy.yaml', join(mount, 'policy.yaml'));
  const settings = readFileSync(lab.file, 'utf8').replace('reload: signal', 'reload: watch\npolicy: mount/policy.yaml');
  writeFileSync(lab.file, settings);
  expect(await lab.gateway.refresh()).toBe(true);
  expect(await turnNow(lab)).toBe(1);
  for (const turn of [2, 3]) {
    version(turn);
    rmSync(join(mount, `..2026_${turn - 1}`), { recursive: true });
    expect(await until(lab, turn)).toBeLessThan(1_000);
  }
});

test('a vendor file that comes, and a catalogue in which every file has changed', async () => {
  const lab = await labOfTest({
    policy: labPolicy.replace('catalogue: monitor', 'catalogue: deny'),
    vendors: {},
    ...watching,
  });
  const answer = () => ask(lab, 'http://chat.acme-ai.test/');
  writeFileSync(join(lab.dir, 'vendors/acme.yaml'), acme);
  await eventually('the new vendor', () => lab.told.length === 1);
  expect(lab.told).toEqual([expect.stringMatching(/^reloaded: /)]);
  expect((await answer()).text).toContain('acme');
  const next = join(lab.dir, 'next');
  cpSync(join(lab.dir, 'vendors'), next, { recursive: true });
  writeFileSync(join(next, 'acme.yaml'), acme.replace('Acme AI', 'Acme Corporation'));
  renameSync(join(lab.dir, 'vendors'), join(lab.dir, 'before'));
  renameSync(next, join(lab.dir, 'vendors'));
  await eventually('the other catalogue', () => lab.told.length === 2);
  expect(lab.told).toEqual([expect.stringMatching(/^reloaded: /), expect.stringMatching(/^reloaded: /)]);
  expect((await answer()).text).toContain('Acme Corporation');
});

test('reload: signal leaves changed files alone until it is asked for', async () => {
  const lab = await labOfTest({ policy: policyOf(0) });
  const watcher = await labOfTest({ policy: policyOf(0), ...watching });
  for (const { dir } of [lab, watcher]) writeFileSync(join(dir, 'policy.yaml'), policyOf(1));
  await until(watcher, 1);
  expect(await turnNow(lab)).toBe(0);
  expect(await lab.gateway.refresh()).toBe(true);
  expect(await turnNow(lab)).toBe(1);
});

test('what needs a restart is told once, and the rest acts', async () => {
  const lab = await labOfTest({ policy: policyOf(0), ...watching });
  const settings = readFileSync(lab.file, 'utf8');
  writeFileSync(lab.file, `${settings}limits: { connections: 7 }\n`);
  await eventually('told', () => lab.told.length === 2);
  // Limits that follow from it are told with it.
  expect(lab.told[1]).toMatch(/^limits\.connections\b.*: changed, but needs? a restart to take effect$/);
  writeFileSync(join(lab.dir, 'policy.yaml'), policyOf(1));
  await until(lab, 1);
  expect(lab.told.filter((line) => line.includes('restart'))).toHaveLength(1);
});

test('a reload resets nothing that was learnt or counted', async () => {
  const lab = await labOfTest({ policy: policyOf(0) });
  await turnNow(lab);
  const counted = async () => [
    await lab.metric('sallyport_blocked_total', 'rule="flip"'),
    await lab.metric('sallyport_block_events_total', 'rule="flip"'),
  ];
  const api = async (name: string) => (await fetch(`http://127.0.0.1:${lab.addresses.admin.port}/api/${name}`)).text();
  const before = [await counted(), await api('block-events'), await api('trust')];
  writeFileSync(join(lab.dir, 'policy.yaml'), policyOf(1));
  expect(await lab.gateway.refresh()).toBe(true);
  expect([await counted(), await api('block-events'), await api('trust')]).toEqual(before);
});
