/** Resumed TLS sessions, slow system lookups, malformed LDAP, and cancelled uploads. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, expect, onTestFinished } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { rawClient } from '../support/streams.ts';
import { attack, get, openField, testedIn } from './field.ts';

const folder = mkdtempSync(join(tmpdir(), 'sessions-'));
const clientCa = join(folder, 'ca.pem');
const authority = makeCertificate('staff.test');
writeFileSync(clientCa, authority.cert);
authority.remove();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const field = openField({
  settings: {
    listen: {
      proxy: '127.0.0.1:0',
      pages: '127.0.0.1:0',
      admin: '127.0.0.1:0',
      proxy_tls: {
        address: '127.0.0.1:0',
        server_names: ['proxy.test'],
        client_ca_file: clientCa,
        client_certificate: 'optional',
      },
    },
  },
});

attack(
  field,
  205,
  'A client without a certificate that resumes its TLS session, on a port where client certificates are optional',
  'Node.js reports it as authorized; to the proxy it is a client without a user, as in the first connection, and is served',
  async ({ lab, at, logged }) => {
    const name = at('ok.test');
    const port = Number(/proxy over TLS on 127\.0\.0\.1:(\d+)/.exec(lab.told.join('\n'))?.[1]);
    let session: Buffer | undefined;
    const ask = async (): Promise<{ readonly resumed: boolean; readonly text: string }> => {
      const socket = connect({ port, host: '127.0.0.1', ca: lab.ca, servername: 'proxy.test', session });
      onTestFinished(() => void socket.destroy());
      socket.on('session', (ticket) => (session = ticket));
      let resumed = false;
      socket.once('secureConnect', () => (resumed = socket.isSessionReused()));
      const client = rawClient(socket);
      client.write(get(`http://${name}/`, name, 'Connection: close\r\n'));
      const { text } = await client.ended;
      return { resumed, text };
    };
    const lines = await logged(2, async () => {
      for (const resumed of [false, true])
        expect(await ask()).toEqual({ resumed, text: expect.stringMatching(/^HTTP\/1\.1 200 /) as string });
    });
    expect(lines.map((line) => 'user' in line)).toEqual([false, false]);
  },
);

testedIn(
  206,
  'Hundreds of names unknown to DNS, for which the system resolver then waits for a DNS server that does not answer',
  'one such name is looked up at a time, and domains take turns; single-label names and the LDAP server are found meanwhile',
  'act/system-lookup.test.ts',
);

testedIn(
  207,
  'An LDAP server, or an attacker in front of its STARTTLS, that sends messages with missing or overlong elements',
  '503 for the client; the LDAP library, which would parse these until the process aborts, gets only valid messages',
  'identify/ldap-messages.test.ts',
  'identify/ldap-session.test.ts',
);

testedIn(
  208,
  'An HTTP/2 client that cancels a stalled upload with NO_ERROR, and an origin that then sends 100 Continue',
  'the request to the origin ends at once and is recorded as closed by the client; nothing is thrown',
  'act/client-side.test.ts',
);
