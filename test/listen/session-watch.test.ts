import { expect, test } from 'vitest';
import { frame, frameClient, getBlock, type } from '../support/frames.ts';
import { labOfTest } from '../support/origins.ts';
import { askHttp2, http2Over, openTunnel } from '../support/tunnels.ts';

const authority = 'api.anthropic.com:443';
const name = 'api.anthropic.com';

test('a client that broke the protocol and stays is disconnected, and nothing of it is left', async () => {
  const lab = await labOfTest();
  const client = await frameClient(lab, authority, name);
  client.write(frame(type.headers, 4, 1, Buffer.alloc(50, 0xff)));
  await client.gone(10_000);
  await expect.poll(() => lab.metric('sallyport_tunnels_open'), { timeout: 10_000 }).toBe(0);
});

test('a client that answers no PING is disconnected', async () => {
  const lab = await labOfTest();
  const client = await frameClient(lab, authority, name);
  client.write(frame(type.headers, 5, 1, getBlock(authority)));
  await client.gone(10_000);
});

test('a client that answers is left alone, and asked only after it has sent something', async () => {
  const lab = await labOfTest();
  const session = await http2Over(await openTunnel(lab.proxyPort, authority), lab.ca, name);
  let pings = 0;
  session.on('ping', () => (pings += 1));
  await askHttp2(session, { ':authority': authority, ':path': '/' });
  await expect.poll(() => pings, { timeout: 10_000 }).toBe(1);
  // Two more looks find nothing new.
  await new Promise((resolve) => setTimeout(resolve, 3_200));
  expect(pings).toBe(1);
  const { headers } = await askHttp2(session, { ':authority': authority, ':path': '/' });
  expect(headers[':status']).toBe(400);
});
