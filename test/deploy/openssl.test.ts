/**
 * What OpenSSL is told, by real handshakes with the product as it is started where it is told nothing, and where it is.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { serve, type Product } from '../support/product.ts';
import { askOver, openTunnel } from '../support/tunnels.ts';
import { read, repository } from './repository.ts';

const flag = '--openssl-config=deploy/openssl.cnf';

interface Shaken {
  readonly tickets: readonly Buffer[];
  readonly resumed: boolean;
}

async function shake(product: Product, session?: Buffer): Promise<Shaken> {
  const ca = readFileSync(join(product.dir, 'certs/ca.pem'));
  const socket = await openTunnel(product.proxyPort, 'api.anthropic.com:443');
  const tls = connectTls({ ca, socket, servername: 'api.anthropic.com', minVersion: 'TLSv1.3', session });
  onTestFinished(() => void tls.destroy());
  const tickets: Buffer[] = [];
  tls.on('error', () => undefined).on('session', (ticket: Buffer) => tickets.push(ticket));
  expect((await askOver(tls, { headers: { Host: 'api.anthropic.com' } })).status).toBe(400);
  return { tickets, resumed: tls.isSessionReused() };
}

test.each([1, 2])('a denied client is given one session to resume, and resumes it; workers: %i', async (workers) => {
  const told = [`--openssl-config=${join(repository, 'deploy/openssl.cnf')}`];
  const product = await serve({ settings: { workers } }, told);
  const first = await shake(product);
  expect([first.tickets.length, first.resumed]).toEqual([1, false]);
  expect((await shake(product, first.tickets[0])).resumed).toBe(true);
});

test('where OpenSSL is told nothing it gives two', async () => {
  expect((await shake(await serve())).tickets).toHaveLength(2);
});

test('everything that starts the product tells OpenSSL', () => {
  const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
  const starting = Object.values(scripts).filter((script) => script.includes('main.js serve'));
  expect(starting.length).toBeGreaterThan(1);
  for (const script of starting) expect(script).toContain(`node ${flag} dist/main.js serve`);
  const container = read('deploy/Containerfile');
  const [, folder] = /^WORKDIR (\/opt\/.*)$/m.exec(container) ?? [];
  expect(container).toContain(`OPENSSL_CONF=${folder}/openssl.cnf`);
  expect(container).toContain('COPY deploy/openssl.cnf ./\n');
  expect(read('deploy/systemd/sallyport.service')).toContain('Environment=OPENSSL_CONF=/opt/sallyport/openssl.cnf\n');
  expect(read('deploy/README.md')).toMatch(/^sudo cp -r .* deploy\/openssl\.cnf \/opt\/sallyport\/$/m);
});
