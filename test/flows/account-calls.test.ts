/** Rules that let account calls pass: those few are forwarded, inspected and alone; the rest is denied as ever. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Lab } from '../support/lab.ts';
import { certificateOfTest, labOfTest, tlsOrigin } from '../support/origins.ts';
import { eventually } from '../support/streams.ts';
import { askHttp2, askInside, http2Over, openTunnel } from '../support/tunnels.ts';

interface World {
  readonly lab: Lab;
  readonly port: number;
  /** What reached the origin. */
  readonly asked: string[];
}

async function world(rule: string, trusted = true): Promise<World> {
  const certificate = certificateOfTest('chatgpt.com', 'auth.openai.com');
  const dir = mkdtempSync(join(tmpdir(), 'roots-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'roots.pem'), certificate.cert);
  const asked: string[] = [];
  const { port } = await tlsOrigin(certificate, (req, res) => {
    asked.push(`${req.method ?? ''} ${req.headers.host ?? ''}${req.url ?? ''} ${req.headers.authorization ?? ''}`);
    req.resume().once('end', () => res.setHeader('Content-Type', 'application/json').end('{"accounts":{}}'));
  });
  const hosts = { 'chatgpt.com': '127.0.0.1', 'auth.openai.com': '127.0.0.1' };
  const lab = await labOfTest({
    policy: `rules: [{ id: no-openai, vendors: openai, effect: deny, reason: Not approved., ${rule} }]`,
    settings: {
      outbound: {
        hosts,
        allow: ['127.0.0.1', ...Object.keys(hosts).map((host) => `${host}:${port}`)],
        ...(trusted && { ca_file: join(dir, 'roots.pem') }),
      },
    },
  });
  return { lab, port, asked };
}

const authorization = 'Bearer eyJ';
const check = '/backend-api/wham/accounts/check';

test('the account calls of what is denied reach their origin, and nothing else does', async () => {
  const { lab, port, asked } = await world('let_account_calls_pass: true');
  const ask = (host: string, path: string, method = 'GET', body = '') =>
    askInside(lab.proxyPort, lab.ca, `https://${host}:${port}${path}`, { method, headers: { authorization }, body });
  expect(await ask('chatgpt.com', `${check}?x=1`)).toMatchObject({ status: 200, body: '{"accounts":{}}' });
  expect(await ask('auth.openai.com', '/oauth/token', 'POST', 'grant')).toMatchObject({ status: 200 });
  for (const [host, path, method] of [
    ['chatgpt.com', '/backend-api/codex/responses', 'POST'],
    ['chatgpt.com', check, 'POST'],
    ['chatgpt.com', `${check}/../../codex/responses`, 'GET'],
    ['auth.openai.com', '/oauth/token', 'GET'],
  ] as const) {
    expect((await ask(host, path, method)).headers['x-proxy-error']).toBe('policy_denied');
  }
  expect(asked).toEqual([
    `GET chatgpt.com:${port}${check}?x=1 ${authorization}`,
    `POST auth.openai.com:${port}/oauth/token ${authorization}`,
  ]);
  await eventually('six lines', () => lab.lines().length === 6);
  const effects = lab.lines().map(({ sallyport, rule }) => `${rule?.id ?? ''} ${sallyport['effect'] ?? ''}`);
  expect(effects).toEqual([...Array<string>(2).fill('no-openai allow'), ...Array<string>(4).fill('no-openai deny')]);
  expect(JSON.stringify(lab.lines())).not.toMatch(/eyJ|x=1/);
});

test('one connection of HTTP/2 carries both', async () => {
  const { lab, port, asked } = await world('let_account_calls_pass: true');
  const session = await http2Over(await openTunnel(lab.proxyPort, `chatgpt.com:${port}`), lab.ca, 'chatgpt.com');
  const ask = (path: string) => askHttp2(session, { ':path': path, ':authority': `chatgpt.com:${port}` });
  expect(await ask(check)).toMatchObject({ headers: { ':status': 200 }, body: '{"accounts":{}}' });
  expect((await ask('/backend-api/me')).headers[':status']).toBe(400);
  expect(asked).toHaveLength(1);
});

test.each([['link: https://ask.test/'], ['let_account_calls_pass: false']])('with %s they are denied', async (rule) => {
  const { lab, port, asked } = await world(rule);
  const { status } = await askInside(lab.proxyPort, lab.ca, `https://chatgpt.com:${port}${check}`);
  expect(status).toBe(400);
  expect(asked).toEqual([]);
});

test('an origin that cannot prove its name is sent nothing', async () => {
  const { lab, port, asked } = await world('let_account_calls_pass: true', false);
  const headers = { authorization };
  const { status, body } = await askInside(lab.proxyPort, lab.ca, `https://chatgpt.com:${port}${check}`, { headers });
  expect([status, body]).toEqual([502, expect.stringContaining("The destination's certificate is not valid.")]);
  expect(asked).toEqual([]);
});
