import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { labPolicy, writeConfig } from '../support/lab.ts';
import { closedPort } from '../support/origins.ts';
import { run, serve } from '../support/product.ts';

/** A product whose admin port the command line finds in the configuration. */
async function product(settings: Readonly<Record<string, unknown>> = {}) {
  const admin = `127.0.0.1:${await closedPort()}`;
  return serve({ settings: { listen: { proxy: '127.0.0.1:0', pages: '127.0.0.1:0', admin }, ...settings } });
}

async function reload(file: string, ...args: readonly string[]) {
  const called = run(['reload', '-c', file, ...args]);
  const { code } = await called.ended;
  return { code, out: called.stdout(), err: called.stderr() };
}

test('puts what is in the files into force, or says why not', async () => {
  const { file, dir, metric } = await product();
  writeFileSync(join(dir, 'policy.yaml'), `${labPolicy}# more\n`);
  const good = await reload(file);
  expect(good).toMatchObject({ code: 0, err: '' });
  expect(good.out).toMatch(/^reloaded: policy [0-9a-f]{12}\n$/);
  const shown = await reload(file, '--json');
  const { policy } = JSON.parse(shown.out) as { policy: string };
  expect(good.out).toContain(policy);
  expect(await metric('sallyport_policy_info', policy)).toBe(1);

  writeFileSync(join(dir, 'policy.yaml'), 'rules: [');
  const bad = await reload(file);
  expect(bad).toMatchObject({ code: 1, out: '' });
  expect(bad.err).toMatch(/^sallyport: not reloaded, the old policy stays: .*policy\.yaml:1:9: [^\n]+\n$/);
  expect(JSON.parse((await reload(file, '--json')).out)).toMatchObject({ done: false, policy });
  expect(await metric('sallyport_config_last_reload_successful')).toBe(0);
});

test('says what waits for a restart, as often as it is asked', async () => {
  const { file } = await product();
  writeFileSync(file, `${readFileSync(file, 'utf8')}redirect: { context_lifetime: 5m }\n`);
  const again = await reload(file);
  const warned = { code: 0, err: 'warning: redirect.context_lifetime: changed, but needs a restart to take effect\n' };
  expect([again, await reload(file)]).toMatchObject([warned, warned]);
  expect(JSON.parse((await reload(file, '--json')).out)).toMatchObject({ needsRestart: ['redirect.context_lifetime'] });
});

test('with the token of the configuration', async () => {
  const first = await product();
  expect((await reload(first.file)).code).toBe(0);
  const tokenFile = join(first.dir, 'token');
  writeFileSync(tokenFile, 'a-token-of-22-characters\n', { mode: 0o600 });
  const guarded = await product({ admin: { token_file: tokenFile } });
  expect(await reload(guarded.file)).toMatchObject({ code: 0, err: '' });

  writeFileSync(tokenFile, 'another-one-of-26-characters\n');
  const wrong = 'sallyport: not reloaded, the old policy stays: ';
  expect(await reload(guarded.file)).toMatchObject({
    code: 1,
    err: `${wrong}${tokenFile}: its token is not the one that the running proxy uses; correct admin.token_file, or restart the proxy if the file has changed since it started\n`,
  });
  writeFileSync(guarded.file, readFileSync(guarded.file, 'utf8').replace(/^admin:\n {2}token_file:.*\n/m, ''));
  expect(await reload(guarded.file)).toMatchObject({
    code: 1,
    err: `${wrong}the running proxy requires a token, but this configuration names none; set admin.token_file to the file that the proxy uses\n`,
  });
});

test('says where nobody answers', async () => {
  const port = await closedPort();
  const listen = { proxy: '127.0.0.1:0', pages: '127.0.0.1:0', admin: `0.0.0.0:${port}` };
  const { code, err } = await reload(writeConfig({ settings: { listen } }));
  expect(code).toBe(2);
  expect(err).toBe(
    `sallyport: the admin port 0.0.0.0:${port} does not answer (ECONNREFUSED); is the proxy running with this configuration?\n`,
  );
});
