/** What fails around several processes: the disk of the log, the mount of the policy, DNS. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { labPolicy } from '../support/lab.ts';
import { closedPort, recorder } from '../support/origins.ts';
import { procIsThere, type Product } from '../support/product.ts';
import { by, serveByTurns, workersOf } from '../support/workers.ts';

const checked = procIsThere('several workers');

const proxyOf = ({ proxyPort }: Product): string => `http://127.0.0.1:${proxyPort}`;

async function asker(product: Product): Promise<() => Promise<string>> {
  const origin = await recorder('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
  return async () => (await curl('-x', proxyOf(product), `http://ok.test:${origin.port}/`)).out;
}

test.runIf(checked)('a full disk below the access log costs lines, which are counted, and no traffic', async () => {
  const product = await serveByTurns({ settings: { workers: 2, access_log: { path: '/dev/full' } } });
  const ask = await asker(product);
  for (const worker of workersOf(product)) expect(await by(product, worker, ask)).toBe('ok');
  await expect.poll(() => product.metric('sallyport_access_log_lines_lost_total')).toBe(2);
  expect(product.stderr().match(/access log: ENOSPC/g)).toHaveLength(1);
  expect(await product.metric('sallyport_workers')).toBe(2);
});

test.runIf(checked)('block events of all workers that nobody gets are counted as one sum', async () => {
  const webhook = `http://127.0.0.1:${await closedPort()}/`;
  const settings = { workers: 2, block_events: { path: '/dev/full', webhook } };
  const product = await serveByTurns({ settings });
  const [a = 0, b = 0] = workersOf(product);
  const lost = (sink: string): Promise<number> => product.metric('sallyport_block_events_lost_total', `sink="${sink}"`);
  expect([await lost('log'), await lost('webhook')]).toEqual([0, 0]);
  for (const [worker, host] of [
    [a, 'refused.test'],
    [b, 'api.openai.com'],
  ] as const) {
    expect((await by(product, worker, () => curl('-x', proxyOf(product), `http://${host}/`))).out).not.toBe('');
  }
  for (const sink of ['log', 'webhook']) await expect.poll(() => lost(sink)).toBe(2);
});

test.runIf(checked)('Kubernetes: the link ..data is swapped, and all workers follow', async () => {
  const mounted = mkdtempSync(join(tmpdir(), 'sallyport-mount-'));
  onTestFinished(() => rmSync(mounted, { recursive: true, force: true }));
  const version = (name: string, policy: string): void => {
    mkdirSync(join(mounted, name));
    writeFileSync(join(mounted, name, 'policy.yaml'), policy);
    symlinkSync(name, join(mounted, '..data_tmp'));
    renameSync(join(mounted, '..data_tmp'), join(mounted, '..data'));
  };
  version('..one', labPolicy);
  symlinkSync('..data/policy.yaml', join(mounted, 'policy.yaml'));
  const settings = { workers: 2, reload: 'watch', policy: join(mounted, 'policy.yaml') };
  const product = await serveByTurns({ settings });
  const ask = await asker(product);
  const stricter = labPolicy.replace(
    'rules:',
    'rules:\n  - { id: new, domains: ok.test, effect: deny, reason: Since. }',
  );
  for (const worker of workersOf(product)) expect(await by(product, worker, ask)).toBe('ok');
  version('..two', stricter);
  rmSync(join(mounted, '..one'), { recursive: true });
  for (const worker of workersOf(product)) await expect.poll(() => by(product, worker, ask)).toContain('Since.');
});

test.runIf(checked)('DNS that is dead ends the request that needs it, and holds up no other', async () => {
  const dns = await startDnsServer({ 'dead.example': { silent: true } });
  onTestFinished(() => dns[Symbol.asyncDispose]());
  const outbound = {
    hosts: { '*.test': '127.0.0.1' },
    allow: ['*.test'],
    dns_servers: [dns.address],
    connect_timeout: '1s',
  };
  const product = await serveByTurns({ settings: { workers: 2, outbound } });
  const ask = await asker(product);
  for (const worker of workersOf(product)) {
    const [dead, fine] = await by(product, worker, () =>
      Promise.all([
        curl('-sS', '-o', '/dev/null', '-w', '%{http_code}', '-x', proxyOf(product), 'http://dead.example/'),
        ask(),
      ]),
    );
    expect(dead.out).toMatch(/^50[24]$/);
    expect(fine).toBe('ok');
  }
  expect(await product.metric('sallyport_workers_replaced_total')).toBe(0);
});
