import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { pac } from '../../src/cli/pac.ts';
import { startLab } from '../support/lab.ts';
import { makeConfig } from '../config/folder.ts';

const dir = makeConfig({
  'sallyport.yaml': "listen: { proxy: '0.0.0.0:3128' }\npages: { url: 'https://proxy.corp.test/help/' }\n",
  'tls.yaml':
    "listen: { proxy: '0.0.0.0:3128', proxy_tls: { address: '0.0.0.0:3129', server_names: [p.corp.test, proxy.corp.test], pac: first } }\n" +
    "pages: { url: 'https://proxy.corp.test/help/' }\n",
  'any.yaml': "listen: { proxy: '127.0.0.1:0' }\n",
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function run(...args: readonly string[]): Promise<string> {
  const out: string[] = [];
  const io = { out: (line: string) => out.push(line), err: (line: string) => out.push(line), env: {}, cwd: dir };
  expect(await pac.run(args, io)).toBe(0);
  return out.join('\n');
}

function route(file: string, url: string): unknown {
  return runInContext(
    `${file}; FindProxyForURL(${JSON.stringify(url)}, ${JSON.stringify(new URL(url).hostname)})`,
    createContext({}),
  );
}

test('prints a file that sends browsers to the proxy, by the name of the pages', async () => {
  const file = await run('-c', 'sallyport.yaml');
  expect(route(file, 'https://claude.ai/')).toBe('PROXY proxy.corp.test:3128');
  expect(route(file, 'http://proxy.corp.test/')).toBe('DIRECT');
});

test('names the port over TLS first where the configuration says so', async () => {
  expect(route(await run('-c', 'tls.yaml'), 'https://claude.ai/')).toBe(
    'HTTPS proxy.corp.test:3129; PROXY proxy.corp.test:3128',
  );
});

test('prints every fact as JSON', async () => {
  expect(JSON.parse(await run('-c', 'sallyport.yaml', '--json'))).toMatchObject({
    url: 'https://proxy.corp.test/help/proxy.pac',
    proxies: [{ host: 'proxy.corp.test', port: 3128 }],
    direct: [],
    failOpen: false,
    text: expect.stringContaining('FindProxyForURL') as string,
  });
});

test('has nothing to print for a port that nobody knows yet', async () => {
  await expect(run('-c', 'any.yaml')).rejects.toThrow('listen.proxy has port 0');
});

test('prints what the pages port serves', async () => {
  const lab = await startLab();
  try {
    const { host, port } = lab.addresses.pages;
    const pages = `http://${host}:${port}`;
    const settings = `listen: { proxy: '127.0.0.1:${lab.proxyPort}' }\npages: { url: '${pages}' }\n`;
    writeFileSync(join(dir, 'served.yaml'), settings);
    const served = await (await fetch(`${pages}/proxy.pac`)).text();
    expect(`${await run('-c', join(dir, 'served.yaml'))}\n`).toBe(served);
  } finally {
    await lab.close();
  }
});

test('needs no policy', async () => {
  const file = await run('-c', 'sallyport.yaml');
  writeFileSync(join(dir, 'policy.yaml'), 'rules: [\n');
  expect(await run('-c', 'sallyport.yaml')).toBe(file);
});
