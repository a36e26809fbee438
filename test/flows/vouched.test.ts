/** What a proxy before us says of users and groups, where it is not clear, and what comes inside tunnels. */
import { expect, onTestFinished, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { labPolicy, startLab, type LogLine } from '../support/lab.ts';
import { headerOrigin } from '../support/origins.ts';
import { connectRaw, exchange } from '../support/streams.ts';
import { connectHead } from '../support/tunnels.ts';

type Line = LogLine & { readonly user?: { readonly name: string } };

const refused = (fields = ''): string => connectHead('refused.test:443', fields);

test.each([
  ['twice', 'X-Forwarded-User: ada\r\nX-Forwarded-User: bob\r\n', 400],
  ['with a control character in it', 'X-Forwarded-User: ada\tbob\r\n', 400],
  ['longer than any name', `X-Forwarded-User: ${'a'.repeat(300)}\r\n`, 400],
  ['empty', 'X-Forwarded-User:\r\n', 403],
])('a name that a trusted proxy gives %s sheds no rule for users', async (_, fields, status) => {
  const settings = { clients: { user_field: { name: 'X-Forwarded-User', trusted: ['127.0.0.1'] } } };
  const started = await startLab({ settings });
  onTestFinished(() => started.close());
  expect(await exchange(started.proxyPort, refused(fields))).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  const request = `GET http://refused.test/ HTTP/1.1\r\nHost: refused.test\r\n${fields}Connection: close\r\n\r\n`;
  expect(await exchange(started.proxyPort, request)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  await expect.poll(() => (started.lines() as Line[]).map(({ user }) => user)).toEqual([undefined, undefined]);
});

test.each([
  ['in two lines', 'X-Groups: Chip Design\r\nX-Groups: x\r\n'],
  ['in another case', 'X-Groups: chip DESIGN\r\n'],
  ['behind many others', `X-Groups: ${Array.from({ length: 500 }, (_, i) => `group-${i}`).join(',')},Chip Design\r\n`],
])('groups that a trusted proxy names %s are all heard', async (_, fields) => {
  const policy = labPolicy
    .replace('rules:', 'groups: { design: { forwarded: Chip Design } }\nrules:')
    .replace(
      '{ id: claude-ban,',
      '{ id: own, domains: own.test, groups: design, effect: deny, manner: refuse, reason: R. }\n  - { id: claude-ban,',
    );
  const started = await startLab({
    policy,
    settings: { clients: { groups_field: { name: 'X-Groups', trusted: ['127.0.0.1'] } } },
  });
  onTestFinished(() => started.close());
  expect(await exchange(started.proxyPort, connectHead('own.test:443', fields))).toMatch(/^HTTP\/1\.1 403 /);
});

test('what comes inside a tunnel is held to the limit of requests, and its fields are believed of nobody', async () => {
  const origin = await headerOrigin();
  const started = await startLab({
    settings: {
      limits: { client_requests: 5 },
      tunnels: { http_ports: [origin.port] },
      clients: {
        user_field: { name: 'X-Forwarded-User', trusted: ['127.0.0.1'] },
        groups_field: { name: 'X-Groups', trusted: ['127.0.0.1'] },
      },
    },
  });
  onTestFinished(() => started.close());
  const client = await connectRaw(started.proxyPort);
  client.write(connectHead(`127.0.0.1:${origin.port}`, 'X-Forwarded-User: ada\r\n'));
  await client.until('\r\n\r\n');
  const request = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\nX-Forwarded-User: root\r\nX-Groups: admins\r\n\r\n`;
  for (let sent = 1; !client.seen().includes('HTTP/1.1 429 '); sent += 1) {
    expect(sent).toBeLessThan(20);
    client.write(request);
    await expect.poll(() => client.seen().split('HTTP/1.1 ').length).toBe(sent + 2);
  }
  expect(origin.seen.length).toBeGreaterThan(4);
  expect(origin.seen.join('\n')).not.toMatch(/root|admins/i);
  await expect.poll(() => (started.lines() as Line[]).map(({ user }) => user?.name)).toContain('ada');
  client.socket.destroy();
});

test.each(['--http1.1', '--http2'])('what is asked of a denied host is held to the limit, too: %s', async (version) => {
  const started = await startLab({ settings: { limits: { client_requests: 5 } } });
  onTestFinished(() => started.close());
  const urls = Array.from({ length: 30 }, (_, i) => `https://api.anthropic.com/${i}`);
  const told = ['--cacert', started.caFile, '-o', '/dev/null', '-w', '%{http_code}\\n', version];
  const { out } = await curl(
    '-x',
    started.proxyUrl,
    ...urls.flatMap((url) => ['--next', ...told, '-sS', '-x', started.proxyUrl, url]).slice(1),
  );
  const statuses = out.split('\n');
  // Where each needs a connection of its own, the CONNECT may be what is refused.
  expect(statuses.some((status) => status === '429' || status === '000')).toBe(true);
  expect(statuses.filter((status) => status === '400').length).toBeLessThan(20);
});
