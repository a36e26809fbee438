/** Twenty planted secrets, in every place where clients carry them: none turns up in a log, a page or a metric. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { certificateOfTest, labOfTest, tlsOrigin } from '../support/origins.ts';
import { connectRaw, eventually, httpOrigin } from '../support/streams.ts';
import { askInside, askOver, connectHead } from '../support/tunnels.ts';

/** `TOP-SECRET-07` and the like: no pattern that a redactor could know. */
const planted = Array.from({ length: 20 }, (_, index) => `TOP-SECRET-${String(index).padStart(2, '0')}`);
const secret = (index: number): string => planted[index] ?? '';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('nothing that is secret is written down or shown', async () => {
  const lab = await labOfTest();
  const certificate = certificateOfTest('ok.test');
  const plain = await httpOrigin((_req, res) => res.end('ok'));
  const secure = await tlsOrigin(certificate, (_req, res) => res.end('ok'));
  const shown: string[] = [];
  const proxy = (): ReturnType<typeof connect> => connect({ port: lab.proxyPort, host: '127.0.0.1' });
  const raw = async (bytes: string): Promise<void> => {
    const client = await connectRaw(lab.proxyPort, bytes);
    shown.push((await client.ended).text);
  };

  // Denied, inside TLS: the answer must explain without repeating anything.
  const inside = await askInside(lab.proxyPort, lab.ca, `https://api.anthropic.com/v1/messages?key=${secret(0)}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${secret(1)}`,
      cookie: `session=${secret(2)}`,
      'x-api-key': secret(3),
      'x-goog-api-key': secret(4),
      referer: `https://me:${secret(5)}@claude.ai/?t=${secret(5)}`,
    },
    body: JSON.stringify({ prompt: secret(6) }),
  });
  shown.push(JSON.stringify(inside));

  // A page, in the clear, with the address in it.
  const page = await askOver(proxy(), {
    path: `http://claude.ai/chat?token=${secret(7)}&next=${secret(7)}`,
    headers: { host: 'claude.ai', accept: 'text/html', cookie: secret(8), authorization: `Basic ${base64(secret(9))}` },
  });
  shown.push(JSON.stringify(page));

  // Passed on: a good answer, one that fails, and one to a port where nothing listens.
  const authority = `ok.test:${plain.port}`;
  const passed = await askOver(proxy(), {
    method: 'POST',
    path: `http://${authority}/upload?sig=${secret(10)}`,
    headers: { host: authority, 'proxy-authorization': `Basic ${base64(`me:${secret(11)}`)}`, 'x-api-key': secret(12) },
    body: secret(13),
  });
  expect(passed.status).toBe(200);
  await curl(
    '-x',
    lab.proxyUrl,
    '-U',
    `me:${secret(14)}`,
    '--cacert',
    certificate.file,
    `https://ok.test:${secure.port}/?${secret(14)}`,
  );
  shown.push((await curl('-i', '-x', lab.proxyUrl, `http://nowhere.test:1/?key=${secret(15)}`)).out);

  // Not valid, each in another way.
  await raw(`GET http://me:${secret(16)}@ok.test/ HTTP/1.1\r\nHost: ok.test\r\n\r\n`);
  await raw(connectHead(`me:${secret(17)}@ok.test:443`));
  await raw(
    `GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nAuthorization: ${secret(18)}\r\nno colon ${secret(18)}\r\n\r\n`,
  );
  await raw(`GET /?key=${secret(19)} HTTP/1.1\r\nHost: ok.test\r\nCookie: ${secret(19)}\r\n\r\n`);

  // In a tunnel that is not TLS, which ends in a reset.
  const tunnel = await connectRaw(
    lab.proxyPort,
    connectHead('reset.test:443', `Proxy-Authorization: ${secret(11)}\r\n`),
  );
  await tunnel.ended;
  await eventually('every line', () => lab.lines().length === 10);

  const { pages, admin } = lab.addresses;
  for (const { event } of lab.lines())
    shown.push((await curl('-i', `http://127.0.0.1:${pages.port}/blocked/${event.id}`)).out);
  expect(shown.filter((text) => text.includes('claude-ban')).length).toBeGreaterThanOrEqual(3);
  shown.push(
    (await curl(`http://127.0.0.1:${pages.port}/`)).out,
    (await curl(`http://127.0.0.1:${admin.port}/api/status`)).out,
  );
  const everything = [...shown, await lab.metrics(), JSON.stringify(lab.lines()), ...lab.told].join('\n');
  const spellings = (text: string): string[] => [text, base64(text), base64(`me:${text}`)];
  const found = planted.filter((text) => spellings(text).some((spelling) => everything.includes(spelling)));
  expect(found).toEqual([]);
});
