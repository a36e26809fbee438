/** The proxy port over TLS, behind load balancers. */
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { rawClient } from '../support/streams.ts';
import { tlsOver } from '../support/tunnels.ts';
import { attack, get, openField } from './field.ts';

/** The load balancer, which is an address of loopback as its clients are. */
const BALANCER = '127.0.0.9';

const field = openField({
  settings: {
    listen: {
      proxy: '127.0.0.1:0',
      pages: '127.0.0.1:0',
      admin: '127.0.0.1:0',
      proxy_tls: { address: '0.0.0.0:0', server_names: ['proxy.test'] },
      proxy_protocol: { trusted: [BALANCER] },
    },
  },
});

function connected(port: number, host: string, localPort = 0): Promise<Socket> {
  const socket = connect({ port, host, localAddress: BALANCER, localPort });
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve, reject) => socket.once('connect', () => resolve(socket)).once('error', reject));
}

attack(
  field,
  201,
  'Two connections of a load balancer from one port to two addresses of the port over TLS, each for another client',
  'each request is that of its own client; neither is taken for the other, and neither waits for it',
  async ({ lab, at, logged }) => {
    const name = at('ok.test');
    const port = Number(/proxy over TLS on 0\.0\.0\.0:(\d+)/.exec(lab.told.join('\n'))?.[1]);
    const lines = await logged(2, async () => {
      const first = await connected(port, '127.0.0.1');
      first.write('PROXY TCP4 10.9.0.1 127.0.0.1 1111 3129\r\n');
      const second = await connected(port, '127.0.0.2', first.localPort);
      second.write('PROXY TCP4 10.66.6.6 127.0.0.2 1111 3129\r\n');
      // Answered after both headers were read: the proxy awaits two handshakes then.
      await lab.metrics();
      for (const [path, socket] of Object.entries({ first, second })) {
        const inside = rawClient(await tlsOver(socket, { ca: lab.ca, servername: 'proxy.test' }));
        inside.write(get(`http://${name}/${path}`, name, 'Connection: close\r\n'));
        expect((await inside.ended).text).toMatch(/^HTTP\/1\.1 200 /);
      }
    });
    const seen = lines.map(({ url, source }) => [url?.path, (source as { readonly ip?: string } | undefined)?.ip]);
    expect(seen).toEqual([
      ['/first', '10.9.0.1'],
      ['/second', '10.66.6.6'],
    ]);
  },
);
