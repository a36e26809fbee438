/** Allowed tunnels through the whole product: untouched, whoever speaks first and however the bytes arrive. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { curl } from '../support/curl.ts';
import { framed, helloOfNode, messageOf } from '../support/hellos.ts';
import { certificateOfTest, closedPort, dribbler, labOfTest, recorder, tlsOrigin } from '../support/origins.ts';
import { connectRaw, eventually, tcpOrigin } from '../support/streams.ts';
import { askInside, askOver, connectHead, openTunnel, rawTunnel, tlsOver } from '../support/tunnels.ts';

describe('an allowed TLS origin', () => {
  test('shows its own certificate to every client', async () => {
    const lab = await labOfTest();
    const certificate = certificateOfTest('ok.test');
    // Without a length, and closing: nobody is done before the origin's last alert is read, so that none meets a closed
    // client.
    const origin = await tlsOrigin(certificate, (_req, res) => {
      res.useChunkedEncodingByDefault = false;
      res.write('from ');
      res.end('the origin');
    });
    const own = new X509Certificate(certificate.cert).fingerprint256;

    const tls = await tlsOver(await openTunnel(lab.proxyPort, `ok.test:${origin.port}`), {
      ca: certificate.cert,
      servername: 'ok.test',
    });
    expect(tls.getPeerX509Certificate()?.fingerprint256).toBe(own);
    expect(await askOver(tls, { headers: { host: 'ok.test' } })).toMatchObject({
      status: 200,
      body: 'from the origin',
    });

    const url = `https://ok.test:${origin.port}/`;
    expect(await curl('-x', lab.proxyUrl, '--cacert', certificate.file, url)).toEqual({
      exit: 0,
      out: 'from the origin',
      err: '',
    });

    const shown = await new Promise<string>((resolve) => {
      const to = ['-proxy', `127.0.0.1:${lab.proxyPort}`, '-connect', `ok.test:${origin.port}`];
      const args = ['s_client', '-ign_eof', ...to, '-servername', 'ok.test', '-CAfile', certificate.file];
      const asking = 'GET / HTTP/1.1\r\nHost: ok.test\r\nConnection: close\r\n\r\n';
      execFile('openssl', args, (_error, out) => resolve(out)).stdin?.end(asking);
    });
    expect(new X509Certificate(shown).fingerprint256).toBe(own);
    expect(shown).toContain('Verify return code: 0 (ok)');
    expect(shown).toContain('from the origin');

    tls.destroy();
    await eventually('three lines of the log', () => lab.lines().length === 3);
    expect(await lab.metric('sallyport_leaf_certificates_minted_total')).toBe(0);
    expect(await lab.metric('sallyport_requests_total', 'kind="tunnel"', 'effect="allow"', 'outcome="passed"')).toBe(3);
  });

  test('is not trusted in the company’s name: its certificate is what the client judges', async () => {
    const lab = await labOfTest();
    const origin = await tlsOrigin(certificateOfTest('ok.test'), (_req, res) => res.end());
    const { exit } = await curl('-x', lab.proxyUrl, '--cacert', lab.caFile, `https://ok.test:${origin.port}/`);
    expect(exit).toBe(60);
  });

  test('gets and gives every byte as it was', async () => {
    const lab = await labOfTest();
    const [up, down] = [randomBytes(3_000_000), randomBytes(3_000_000)];
    const chunks: Buffer[] = [];
    const origin = await tcpOrigin((socket) => {
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('end', () => socket.end(down));
    });
    const hello = await helloOfNode({ servername: 'ok.test' });
    const client = await rawTunnel(lab.proxyPort, `ok.test:${origin.port}`);
    client.write(hello);
    client.socket.end(up);
    const { how, text } = await client.ended;
    const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(how).toBe('fin');
    expect(digest(Buffer.from(text, 'latin1'))).toBe(digest(down));
    expect(digest(Buffer.concat(chunks))).toBe(digest(Buffer.concat([hello, up])));
    await eventually('the log line', () => lab.lines().length === 1);
    expect(lab.lines()[0]).toMatchObject({
      source: { bytes: hello.length + up.length },
      destination: { bytes: down.length },
      sallyport: { effect: 'allow', outcome: 'passed' },
    });
  });
});

describe('a ClientHello', () => {
  test.each([
    ['in one segment with the CONNECT', 'together', 16_384],
    ['in records of 90 bytes', 'behind', 90],
    ['in records of 5 bytes, with the CONNECT', 'together', 5],
  ] as const)('%s reaches an allowed origin once, and a denied one gets its handshake', async (_, when, size) => {
    const lab = await labOfTest();
    const origin = await recorder();
    for (const host of ['ok.test', 'api.anthropic.com']) {
      const hello = framed(messageOf(await helloOfNode({ servername: host })), size);
      const head = Buffer.from(connectHead(`${host}:${origin.port}`));
      const client = await connectRaw(lab.proxyPort, when === 'together' ? Buffer.concat([head, hello]) : head);
      await client.until('\r\n\r\n');
      if (when === 'behind') client.write(hello);
      if (host === 'ok.test') await eventually('the hello at the origin', () => origin.seen().length >= hello.length);
      // A handshake record, and no alert (RFC 8446, section 5.1): the hello was whole.
      else expect(await client.until('\r\n\r\n\x16\x03\x03')).toMatch(/^HTTP\/1\.1 200 /);
      if (host === 'ok.test') expect(origin.seen().equals(hello)).toBe(true);
      client.socket.destroy();
    }
    expect(origin.taken()).toBe(1);
  });

  test('one byte at a time is read like any other, allowed and denied', async () => {
    const lab = await labOfTest();
    const slow = `http://127.0.0.1:${await dribbler(lab.proxyPort)}`;
    const certificate = certificateOfTest('ok.test');
    const origin = await tlsOrigin(certificate, (_req, res) => res.end('whole'));
    const allowed = await curl('-x', slow, '--cacert', certificate.file, `https://ok.test:${origin.port}/`);
    expect(allowed).toEqual({ exit: 0, out: 'whole', err: '' });
    const denied = await curl('-x', slow, '--cacert', lab.caFile, 'https://api.anthropic.com/v1/messages', '-d', '{}');
    expect(JSON.parse(denied.out)).toMatchObject({ type: 'error', policy: { vendor: 'anthropic' } });
  });

  test('for another name than the CONNECT’s is reset before the origin sees a byte', async () => {
    const lab = await labOfTest();
    const origin = await recorder();
    const client = await rawTunnel(lab.proxyPort, `ok.test:${origin.port}`);
    client.write(await helloOfNode({ servername: 'other.test' }));
    expect(await client.ended).toEqual({ how: 'reset', text: '' });
    expect(origin.seen()).toHaveLength(0);
    await eventually('the log line', () => lab.lines().length === 1);
    expect(lab.lines()[0]).toMatchObject({ url: { domain: 'ok.test' }, sallyport: { effect: 'deny' } });
  });

  test('for a denied vendor inside an allowed CONNECT is answered as that vendor’s denial', async () => {
    const lab = await labOfTest();
    const origin = await tlsOrigin(certificateOfTest('ok.test'), (_req, res) => res.end());
    const tunnel = await openTunnel(lab.proxyPort, `ok.test:${origin.port}`);
    const tls = await tlsOver(tunnel, { ca: lab.ca, servername: 'api.anthropic.com' });
    const headers = { host: `api.anthropic.com:${origin.port}` };
    const { status, body } = await askOver(tls, { method: 'POST', path: '/v1/messages', headers, body: '{}' });
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ policy: { vendor: 'anthropic', rule: 'claude-ban' } });
    await eventually('the log line', () => lab.lines().length === 1);
    expect(lab.lines()[0]).toMatchObject({ sallyport: { vendor: 'anthropic' }, rule: { id: 'claude-ban' } });
    expect(await lab.metric('sallyport_blocked_total', 'vendor="anthropic"')).toBe(1);
    expect(origin.received()).toBe(0);
  });
});

describe('a raw address', () => {
  const policy = `
assistants: { qoder: { name: Qoder, url: 'http://assistant.test/' } }
default_assistant: qoder
rules: [{ id: claude-ban, vendors: anthropic, effect: deny, reason: High risk. }]
defaults: { unlisted: allow, catalogue: allow, raw_address: deny }
`;
  test('is judged by the server name of its ClientHello', async () => {
    const lab = await labOfTest({ policy });
    const certificate = certificateOfTest('ok.test');
    const origin = await tlsOrigin(certificate, (_req, res) => res.end('by name'));
    const authority = `127.0.0.1:${origin.port}`;

    const denied = await tlsOver(await openTunnel(lab.proxyPort, authority), {
      ca: lab.ca,
      servername: 'api.anthropic.com',
    });
    const headers = { host: `api.anthropic.com:${origin.port}` };
    expect((await askOver(denied, { headers })).status).toBe(400);

    const nameless = await askInside(lab.proxyPort, lab.ca, `https://${authority}/`);
    expect(nameless.status).toBe(403);
    expect(origin.taken()).toBe(0);

    const allowed = await tlsOver(await openTunnel(lab.proxyPort, authority), {
      ca: certificate.cert,
      servername: 'ok.test',
    });
    expect(await askOver(allowed, { headers: { host: 'ok.test' } })).toMatchObject({ status: 200, body: 'by name' });
  });
});

describe('a tunnel that is not TLS', () => {
  test('works on a port that does not require TLS, and half-closes from either side', async () => {
    const lab = await labOfTest();
    let atOrigin = '';
    const origin = await tcpOrigin((socket) => {
      socket.on('data', (chunk: Buffer) => (atOrigin += chunk.toString()));
      socket.on('end', () => socket.end(`had ${atOrigin}`));
    });
    const first = await rawTunnel(lab.proxyPort, `ok.test:${origin.port}`);
    first.socket.end('question');
    expect(await first.ended).toEqual({ how: 'fin', text: 'had question' });

    let late = '';
    const ending = await tcpOrigin((socket) => {
      socket.on('data', (chunk: Buffer) => (late += chunk.toString()));
      socket.once('data', () => socket.end('bye'));
    });
    const second = await openTunnel(lab.proxyPort, `ok.test:${ending.port}`);
    second.write('hello,');
    const ended = new Promise((resolve) => second.once('end', resolve));
    second.resume();
    await ended;
    second.end('and more');
    await eventually('what came after the FIN of the origin', () => late === 'hello,and more');
    await eventually('two lines', () => lab.lines().length === 2);
    expect(lab.lines().map((line) => line.sallyport['outcome'])).toEqual(['passed', 'passed']);
  });

  test('lets an origin speak first', async () => {
    const lab = await labOfTest();
    const origin = await recorder('220 mail.ok.test ready\r\n');
    const client = await rawTunnel(lab.proxyPort, `ok.test:${origin.port}`);
    expect(await client.until('ready\r\n')).toBe('220 mail.ok.test ready\r\n');
    client.write('QUIT\r\n');
    await eventually('the client’s words', () => origin.seen().toString() === 'QUIT\r\n');
    client.socket.end();
    expect((await client.ended).how).toBe('fin');
  });

  test.each([
    ['SSH', 'SSH-2.0-x\r\n'],
    ['HTTP in the clear', 'GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n'],
    ['zeros', Buffer.alloc(100)],
    ['an SSLv2 hello', Buffer.from('802e0103010015000000100100800300', 'hex')],
    ['a record of nonsense', Buffer.from('1603010004deadbeef', 'hex')],
    ['nothing but its end', ''],
  ])('is ended by RST where TLS is required: %s', async (_, words) => {
    const origin = await recorder();
    const lab = await labOfTest({ settings: { tunnels: { tls_required_ports: [origin.port] } } });
    const client = await rawTunnel(lab.proxyPort, `ok.test:${origin.port}`);
    if (words === '') client.socket.end();
    else client.write(words);
    expect(await client.ended).toEqual({ how: 'reset', text: '' });
    await eventually('the log line', () => lab.lines().length === 1);
    expect(lab.lines()[0]?.sallyport).toMatchObject({ outcome: 'failed' });
    expect(origin.seen()).toHaveLength(0);
    await eventually('no connection to the origin', () => origin.open.size === 0);
  });
});

test('a CONNECT to a port where nothing listens is answered 502 with its reason', async () => {
  const lab = await labOfTest();
  const port = await closedPort();
  const client = await connectRaw(lab.proxyPort, connectHead(`ok.test:${port}`));
  const { how, text } = await client.ended;
  const [head = '', body = ''] = text.split('\r\n\r\n');
  expect(how).toBe('fin');
  expect(head).toMatch(/^HTTP\/1\.1 502 /);
  expect(head).toMatch(/\r\nProxy-Status: sallyport; error=connection_refused/);
  expect(head).toContain('\r\nX-Proxy-Error: connection_refused');
  expect(head).toContain('\r\nConnection: close');
  expect(head).toContain(`\r\nContent-Length: ${Buffer.byteLength(body)}`);
  await eventually('the log line', () => lab.lines().length === 1);
  const [line] = lab.lines();
  expect(JSON.parse(body)).toMatchObject({ id: line?.event.id });
  expect(line?.sallyport).toMatchObject({ effect: 'allow', outcome: 'failed', error: 'connection_refused' });
  expect(await lab.metric('sallyport_errors_total', 'code="connection_refused"')).toBe(1);
});
