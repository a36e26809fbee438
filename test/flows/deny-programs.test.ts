/** What programs with a way of their own show of a denial. */
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Lab } from '../support/lab.ts';
import { labOfTest } from '../support/origins.ts';
import { openTunnel, tlsOver } from '../support/tunnels.ts';

const blocked = (lab: Lab): Promise<number> => lab.metric('sallyport_blocked_total');

test('a Socket.IO client gets the reason in its own protocol, before the close frame', async () => {
  const lab = await labOfTest();
  const tls = await tlsOver(await openTunnel(lab.proxyPort, 'chatgpt.com:443'), {
    ca: lab.ca,
    servername: 'chatgpt.com',
  });
  const url = 'wss://chatgpt.com/socket.io/?EIO=4&transport=websocket';
  const socket = new WebSocket(url, { createConnection: () => tls });
  const messages: string[] = [];
  socket.on('message', (data: Buffer) => messages.push(data.toString()));
  await new Promise((resolve, reject) => socket.once('error', reject).once('close', resolve));
  expect(messages).toHaveLength(2);
  expect(messages[0]).toMatch(/^0\{"sid":/);
  expect(messages[1]).toMatch(/^44\{"message":"Blocked by company policy: /);
});

test('git shows the reason as the remote’s words', async () => {
  const lab = await labOfTest();
  const settings = ['-c', `http.proxy=${lab.proxyUrl}`, '-c', `http.sslCAInfo=${lab.caFile}`];
  const env = { PATH: process.env['PATH'], HOME: lab.dir, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
  const shown = await new Promise<string>((resolve) => {
    execFile('git', [...settings, 'ls-remote', 'https://claude.ai/x.git'], { env }, (_error, _out, err) =>
      resolve(err),
    );
  });
  expect(shown).toMatch(/^remote: Blocked by company policy: Claude \(Anthropic\)\./m);
  expect(await blocked(lab)).toBe(1);
});

const hasGo = spawnSync('go', ['version']).status === 0;
if (!hasGo) console.warn('\n*** NOT CHECKED: what the go command shows. Install golang-go. ***\n');

test.runIf(hasGo)('the go command shows the reason of a denied module proxy', async () => {
  const lab = await labOfTest();
  const own = {
    HOME: lab.dir,
    GOPATH: join(lab.dir, 'go'),
    GOFLAGS: '-modcacherw',
    GONOSUMDB: '*',
    GOTOOLCHAIN: 'local',
  };
  const trust = { SSL_CERT_FILE: lab.caFile, HTTPS_PROXY: lab.proxyUrl, GOPROXY: 'https://claude.ai' };
  const env = { PATH: process.env['PATH'], ...own, ...trust };
  const shown = await new Promise<string>((resolve) => {
    execFile('go', ['list', '-m', 'rsc.io/quote@latest'], { env, cwd: lab.dir }, (_error, _out, err) => resolve(err));
  });
  expect(shown).toContain('Blocked by company policy: Claude (Anthropic).');
});
