import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { explain } from '../../src/cli/explain.ts';
import { labPolicy, writeConfig } from '../support/lab.ts';
import { labOfTest } from '../support/origins.ts';
import { openTunnel } from '../support/tunnels.ts';

const settings = {
  outbound: {
    hosts: { 'inside.test': '10.1.2.3', 'free.test': '10.1.2.3', 'dev.localhost': '10.1.2.3' },
    allow: ['free.test', 'odd.test:2222', 'mine.localhost', 'six.localhost:8443'],
  },
};

async function explained(...args: readonly string[]) {
  const file = writeConfig({ policy: labPolicy.replace('raw_address: deny', 'raw_address: allow'), settings });
  onTestFinished(() => rmSync(dirname(file), { recursive: true, force: true }));
  const out: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => out.push(line), env: {}, cwd: '.' };
  return { code: await explain.run([...args, '-c', file], io), out };
}

test.each([
  ['plain.test', 0, null, null],
  ['plain.test:22', 1, 'port_prohibited', 'port 22 is not an allowed port'],
  ['odd.test:2222', 0, null, null],
  ['10.1.2.3', 1, 'destination_prohibited', '10.1.2.3 is private'],
  ['169.254.169.254:80', 1, 'destination_prohibited', '169.254.169.254 is metadata'],
  ['inside.test', 1, 'destination_prohibited', '10.1.2.3 is private'],
  ['free.test', 0, null, null],
  ['localhost', 1, 'destination_prohibited', '127.0.0.1 is loopback'],
  ['LOCALHOST.:80', 1, 'destination_prohibited', '127.0.0.1 is loopback'],
  ['a.b.localhost', 1, 'destination_prohibited', '127.0.0.1 is loopback'],
  ['dev.localhost', 1, 'destination_prohibited', '10.1.2.3 is private'],
  ['mine.localhost', 0, null, null],
  ['six.localhost:8443', 0, null, null],
  ['notlocalhost', 0, null, null],
] as const)('%s ends with %i, by %s', async (target, code, prohibited, why) => {
  const { out, code: ended } = await explained(target, '--json');
  expect(ended).toBe(code);
  const shown = JSON.parse(out.join('\n')) as { effect: string; prohibited: unknown };
  expect(shown.effect).toBe('allow');
  expect(shown.prohibited).toEqual(prohibited === null ? null : expect.objectContaining({ code: prohibited, why }));
});

test('what is denied is not dialled, and needs no other reason', async () => {
  const { out } = await explained('api.anthropic.com:22', '--json');
  expect(JSON.parse(out.join('\n'))).toMatchObject({ effect: 'deny', prohibited: null });
});

test('says it first, with its cure, and does not promise a tunnel', async () => {
  const { out } = await explained('plain.test:22');
  expect(out.slice(0, 2)).toEqual([
    'prohibited  plain.test:22  (not in the catalogue)',
    '  outbound   403 port_prohibited, whatever the policy allows: port 22 is not an allowed port; outbound.ports or outbound.allow would let it through',
  ]);
  expect(out.join('\n')).not.toContain('tunnel');
});

test('the proxy says the same', async () => {
  const lab = await labOfTest({ settings });
  await expect(openTunnel(lab.proxyPort, 'inside.test:443')).rejects.toThrow(
    /403[^]*X-Proxy-Error: destination_prohibited/,
  );
  for (const host of ['localhost', 'LOCALHOST.', 'a.b.localhost', 'dev.localhost']) {
    await expect(openTunnel(lab.proxyPort, `${host}:443`)).rejects.toThrow(
      /403[^]*X-Proxy-Error: destination_prohibited/,
    );
  }
  await expect(openTunnel(lab.proxyPort, 'inside.test:22')).rejects.toThrow(/403[^]*X-Proxy-Error: port_prohibited/);
});
