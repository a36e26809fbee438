/** What is dialled in the end: names that resolve differently by then. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { startDnsServer, type DnsZone } from '../support/dns-server.ts';
import { labOfTest } from '../support/origins.ts';
import { connectRaw } from '../support/streams.ts';
import { connectHead } from '../support/tunnels.ts';
import { attack, get, openField, testedIn } from './field.ts';

const field = openField();

attack(
  field,
  141,
  'DNS that answers a harmless address when the policy asks, and a denied one when it is dialled, by GET, CONNECT, WebSocket',
  '403: what is dialled is judged once more, and nobody is connected to',
  async () => {
    let taken = 0;
    const denied = createServer((socket) => {
      taken += 1;
      socket.destroy();
    });
    denied.listen(0, '127.0.0.3');
    await once(denied, 'listening');
    onTestFinished(() => void denied.close());
    const { port } = denied.address() as AddressInfo;
    await using dns = await startDnsServer();
    let asked = 0;
    // One attempt asks for both families each time.
    const answers = (): DnsZone => ({ A: [(asked += 1) <= 2 ? '127.0.0.2' : '127.0.0.3'], ttl: 0 });
    Object.defineProperty(dns.zone, 'turns.test', { get: answers });
    const lab = await labOfTest({
      policy: 'rules: [{ id: spot, domains: 127.0.0.3, effect: deny, reason: A denied address. }]',
      settings: { outbound: { dns_servers: [dns.address], allow: ['*.test'] } },
    });
    const name = `turns.test:${port}`;
    const webSocket = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n';
    for (const bytes of [get(`http://${name}/`), connectHead(name), get(`http://${name}/`, name, webSocket)]) {
      asked = 0;
      const client = await connectRaw(lab.proxyPort, bytes);
      expect(await client.until('X-Proxy-Error: ')).toContain('X-Proxy-Error: destination_prohibited');
      client.socket.destroy();
      expect([asked, taken]).toEqual([4, 0]);
    }
  },
);

testedIn(
  211,
  'Thousands of clients that ask for names that never answer, each for another, and leave at once',
  'at most 64 dials go on without a client; all others end with theirs',
  'act/spare-dials.test.ts',
);
