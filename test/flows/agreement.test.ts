/** What `explain` says is what the whole product does: policies, requests and times by chance, over real sockets. */
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { createExplainer } from '../../src/cli/explanation.ts';
import type { Lab } from '../support/lab.ts';
import { labOfTest } from '../support/origins.ts';
import { hosts, policies, requests, type Request } from '../support/policies.ts';
import { rawClient, tcpOrigin } from '../support/streams.ts';

const POLICIES = 25;
const REQUESTS = 40;

/**
 * Asks as that client at that address, whose port is the number of the request, and takes no interest in the answer.
 */
async function send(lab: Lab, { target, path, address, user }: Request, number: number, port: number): Promise<void> {
  const authority = `${target.host}:${String(port)}`;
  const line = path === null ? `CONNECT ${authority}` : `GET http://${authority}${path}`;
  const fields = [`Host: ${authority}`, 'Connection: close', ...(user === null ? [] : [`X-User: ${user}`])];
  const socket = connect({ port: lab.proxyPort, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  const client = rawClient(socket);
  client.write(`PROXY TCP4 ${address} 127.0.0.1 ${String(number)} 3128\r\n`);
  client.write(`${line} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`);
  if (path === null) await client.until('\r\n\r\n').catch(() => undefined);
  socket.end();
  await client.ended;
}

test(`explain agrees with what ${String(POLICIES * REQUESTS)} clients got`, { timeout: 120_000 }, async () => {
  let now = 0;
  const origin = await tcpOrigin((socket) => void socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
  const lab = await labOfTest({
    now: () => now,
    policy: '{}',
    settings: {
      listen: {
        proxy: '127.0.0.1:0',
        pages: '127.0.0.1:0',
        admin: '127.0.0.1:0',
        proxy_protocol: { trusted: ['127.0.0.1'] },
      },
      clients: { user_field: { name: 'X-User', trusted: ['127.0.0.1'] } },
      outbound: {
        hosts: Object.fromEntries(hosts.map((host) => [host, '127.0.0.1'])),
        allow: [...hosts, '127.0.0.0/8'],
      },
    },
  });

  let number = 1_000;
  let seen = 0;
  const written = fc.sample(policies, POLICIES);
  for (const policy of written) {
    writeFileSync(join(lab.dir, 'policy.yaml'), stringify(policy));
    expect(lab.gateway.reload(), lab.told.at(-1)).toBe(true);
    const explain = createExplainer(lab.gateway.config());
    const asked = fc.sample(requests, REQUESTS).toSorted((a, b) => a.at - b.at);
    const expected = new Map<number, readonly [effect: string, rule: string]>();
    for (const request of asked) {
      number += 1;
      now = request.at;
      const moment = request.path === null ? 'connect' : 'request';
      const { effect, rule } = explain({ ...request, moment });
      expected.set(number, [effect, rule]);
      await send(lab, request, number, origin.port);
    }
    await expect.poll(() => lab.lines().length, { timeout: 10_000 }).toBe(seen + asked.length);
    const lines = lab.lines().slice(seen);
    seen += asked.length;
    const got = new Map(lines.map(({ source, rule, sallyport }) => [source?.port, [sallyport['effect'], rule?.id]]));
    expect(got, stringify(policy)).toEqual(expected);
  }
});
