/** Policy, reload and clock. */
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { check } from '../../src/cli/check.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createGateway } from '../../src/gateway.ts';
import { writeConfig } from '../support/lab.ts';
import { attack, fieldPolicy, get, openField, statusOf, type Field } from './field.ts';

const field = openField({ policy: fieldPolicy });

/** Writes a policy as editors do: beside, and then in its place. */
function put({ lab }: Pick<Field, 'lab'>, text: string | Buffer): void {
  writeFileSync(join(lab.dir, 'policy.new'), text);
  renameSync(join(lab.dir, 'policy.new'), join(lab.dir, 'policy.yaml'));
}

const broken: Readonly<Record<string, string>> = {
  'syntax error': 'rules: [',
  'unknown key': 'rulez: []\n',
  'wrong type': 'rules: 5\n',
  'same id twice':
    'rules:\n  - { id: a, domains: a.test, effect: deny, reason: A. }\n  - { id: a, domains: b.test, effect: deny, reason: B. }\n',
  'unknown vendor': 'rules:\n  - { id: a, vendors: acmee, effect: deny, reason: A. }\n',
  'alias bomb': `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nrules: [*c,*c,*c,*c]\n`,
  'deep nesting': `rules: ${'['.repeat(10_000)}`,
  'NUL bytes': 'rules: []\0\n',
};

attack(
  field,
  120,
  'A reload with a syntax error, unknown keys, wrong types, doubled ids, an empty file, a directory, no right to read',
  'the old policy stays; the log and a metric say file and line; traffic never sees an empty policy',
  async (here) => {
    const { lab } = here;
    const denied = get(`http://${here.at('deny.test')}/`);
    const failed = (): Promise<number> => lab.metric('sallyport_config_last_reload_successful');
    for (const [what, text] of Object.entries(broken)) {
      put(here, text);
      const told = lab.told.length;
      expect(lab.gateway.reload(), what).toBe(false);
      expect(lab.told.slice(told).join(' '), what).toMatch(/policy\.yaml:\d+/);
      expect(await failed(), what).toBe(0);
      expect(await here.status(denied), what).toBe(403);
    }
    const file = join(lab.dir, 'policy.yaml');
    rmSync(file);
    mkdirSync(file);
    expect(lab.gateway.reload(), 'a directory').toBe(false);
    rmSync(file, { recursive: true });
    expect(lab.gateway.reload(), 'no file').toBe(false);
    expect(await here.status(denied)).toBe(403);
    put(here, Buffer.from(`\ufeff${fieldPolicy.replaceAll('\n', '\r\n')}`));
    expect(lab.gateway.reload(), 'BOM and CR LF are fine').toBe(true);
    put(here, fieldPolicy);
    chmodSync(file, 0o644);
    expect(lab.gateway.reload()).toBe(true);
    expect(await failed()).toBe(1);
  },
);

attack(
  field,
  121,
  'Reload after reload under load, between two policies',
  'every request is decided by exactly one of them; none is dropped',
  async (here) => {
    const other = fieldPolicy.replace('Acme keeps what it is told.', 'The other policy.');
    let running = true;
    const statuses = new Set<number>();
    const reasons = new Set<string>();
    const load = async (): Promise<void> => {
      while (running) {
        const answer = await here.send(get(`http://${here.at('deny.test')}/`));
        statuses.add(statusOf(answer));
        reasons.add(/Reason: ([^.]+)\./.exec(answer)?.[1] ?? 'none');
      }
    };
    const loads = [load(), load(), load(), load()];
    for (let i = 0; i < 30; i += 1) {
      put(here, i % 2 === 0 ? other : fieldPolicy);
      expect(here.lab.gateway.reload()).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    running = false;
    await Promise.all(loads);
    expect([...statuses]).toEqual([403]);
    expect([...reasons].toSorted()).toEqual(['Acme keeps what it is told', 'The other policy']);
  },
);

attack(
  field,
  122,
  'A start with a broken policy',
  'no port is opened; `sallyport check` says the same words',
  async () => {
    for (const [what, policy] of Object.entries(broken)) {
      const file = writeConfig({ policy });
      const options = { version: '0', nodeVersion: process.version, stdout: process.stdout, log: () => undefined };
      const words = await createGateway({ ...options, load: () => loadConfig(file) }).then(
        () => 'it started',
        (error: unknown) => (error as Error).message,
      );
      const said: string[] = [];
      const io = {
        out: (line: string) => void said.push(line),
        err: (line: string) => void said.push(line),
        env: {},
        cwd: '.',
      };
      const code = await check.run(['-c', file], io).catch((error: unknown) => {
        said.push((error as Error).message);
        return 2;
      });
      expect(code, what).not.toBe(0);
      expect(said.join('\n'), what).toContain(words.slice(0, file.length + 40));
    }
  },
);

attack(
  field,
  126,
  'A part that fails inside: the decision throws, DNS is gone',
  'denied or 502, never let through; the reason is in the record',
  async (here) => {
    expect(await here.status(get('http://nowhere.invalid/'))).toBe(502);
    const answer = await here.send(get('http://nowhere.invalid/'));
    expect(answer).toMatch(/^X-Proxy-Error: dns_error/im);
  },
);
