/** Plain HTTP through the whole product: passed on as it is, by the same policy as everything else. */
import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { curl } from '../support/curl.ts';
import { certificateOfTest, labOfTest, recorder, tlsOrigin } from '../support/origins.ts';
import { connectRaw, eventually, httpOrigin } from '../support/streams.ts';
import { askOver, connectHead, type Answered } from '../support/tunnels.ts';

test('each request on a connection counts its own bytes', async () => {
  const { proxyPort, lines } = await labOfTest();
  const origin = await httpOrigin((req, res) => void req.resume().on('end', () => res.end('ok')));
  const head = `POST http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n`;
  const asked = [1_000, 10].map((size) => `${head}Content-Length: ${size}\r\n\r\n${'x'.repeat(size)}`);
  const client = await connectRaw(proxyPort);
  for (const [i, one] of asked.entries()) {
    client.write(one);
    await eventually('the line', () => lines().length === i + 1);
  }
  expect(lines().map(({ source }) => source?.bytes)).toEqual(asked.map((one) => one.length));
});

test('a request whose body breaks is answered and recorded once, as what it was', async () => {
  const { proxyPort, lines } = await labOfTest();
  const origin = await httpOrigin((req) => void req.resume());
  const head = `POST http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n`;
  const client = await connectRaw(proxyPort, `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
  await eventually('it is at the origin', () => origin.open.size === 1);
  client.write('what?\r\n');
  await client.until('HTTP/1.1 400 ');
  await client.until('X-Proxy-Error: malformed_request');
  await client.ended;
  await eventually('the line', () => lines().length > 0);
  expect(lines()).toMatchObject([
    { sallyport: { error: 'malformed_request' }, http: { response: { status_code: 400 } } },
  ]);
  await eventually('the origin is free', () => origin.open.size === 0);
});

test('a connection is kept for request after request, towards the client and towards the origin', async () => {
  const lab = await labOfTest();
  const origin = await httpOrigin((req, res) => res.end(`at ${req.url ?? ''};`));
  const url = `http://ok.test:${origin.port}`;
  const shown = await curl('-x', lab.proxyUrl, '-w', '%{num_connects} ', `${url}/1`, `${url}/2`, `${url}/3`);
  expect(shown).toEqual({ exit: 0, out: 'at /1;1 at /2;0 at /3;0 ', err: '' });
  expect(origin.taken()).toBe(1);
  await eventually('three lines', () => lab.lines().length === 3);
  expect(lab.lines()[0]).toMatchObject({
    event: { action: 'request-passed', outcome: 'success' },
    url: { scheme: 'http', domain: 'ok.test', port: origin.port, path: '/1' },
    sallyport: { effect: 'allow', action: 'forward' },
  });
});

test('a denied request on a kept connection is denied for itself', async () => {
  const lab = await labOfTest();
  const origin = await httpOrigin((_req, res) => res.end('fine'));
  const client = await connectRaw(
    lab.proxyPort,
    `GET http://ok.test:${origin.port}/ HTTP/1.1\r\nHost: ok.test:${origin.port}\r\n\r\n`,
  );
  await client.until('fine');
  client.write('GET http://api.anthropic.com/v1/models HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n');
  const { how, text } = await client.ended;
  expect(how).toBe('fin');
  expect(text).toMatch(/HTTP\/1\.1 400 Blocked by company policy/);
  expect(await lab.metric('sallyport_blocked_total', 'vendor="anthropic"')).toBe(1);
});

test('100-continue is the origin’s to say', async () => {
  const lab = await labOfTest();
  const order: string[] = [];
  const origin = await httpOrigin((_req, res) => res.end('no'));
  origin.server.on('checkContinue', (req, res) => {
    order.push('head at the origin');
    res.writeContinue();
    req.once('data', () => order.push('body at the origin')).once('end', () => res.end('done'));
  });
  const outgoing = request({
    port: lab.proxyPort,
    host: '127.0.0.1',
    method: 'POST',
    path: `http://ok.test:${origin.port}/`,
    headers: { host: `ok.test:${origin.port}`, expect: '100-continue', 'content-length': 4 },
  });
  outgoing.flushHeaders();
  await once(outgoing, 'continue');
  order.push('told to go on');
  outgoing.end('body');
  const [res] = (await once(outgoing, 'response')) as [{ statusCode: number; resume: () => void }];
  res.resume();
  expect(res.statusCode).toBe(200);
  expect(order).toEqual(['head at the origin', 'told to go on', 'body at the origin']);
});

test('a denied request that expects 100-continue gets the denial and no 100', async () => {
  const lab = await labOfTest();
  const head = 'POST http://api.anthropic.com/v1/messages HTTP/1.1\r\nHost: api.anthropic.com\r\n';
  const client = await connectRaw(lab.proxyPort, `${head}Expect: 100-continue\r\nContent-Length: 1073741824\r\n\r\n`);
  const { how, text } = await client.ended;
  expect(how).toBe('fin');
  expect(text).toMatch(/^HTTP\/1\.1 400 Blocked/);
});

test('chunks and trailers travel both ways', async () => {
  const lab = await labOfTest();
  let arrived: { headers: IncomingHttpHeaders; trailers: NodeJS.Dict<string>; body: string } | undefined;
  const origin = await httpOrigin((req, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => (body += chunk.toString()));
    req.once('end', () => {
      arrived = { headers: req.headers, trailers: req.trailers, body };
      res.writeHead(200, { Trailer: 'X-Sum' });
      res.write('one,');
      res.write('two');
      res.addTrailers({ 'X-Sum': '7' });
      res.end();
    });
  });
  const answer = await new Promise<Answered>((resolve, reject) => {
    const outgoing = request({
      createConnection: () => connect({ port: lab.proxyPort, host: '127.0.0.1' }),
      method: 'POST',
      path: `http://ok.test:${origin.port}/`,
      headers: { host: `ok.test:${origin.port}`, trailer: 'x-check', 'transfer-encoding': 'chunked' },
    });
    outgoing.once('error', reject);
    outgoing.once('response', (res) => {
      let body = '';
      res.on('data', (chunk: Buffer) => (body += chunk.toString()));
      res.once('end', () =>
        resolve({ status: res.statusCode ?? 0, reason: '', headers: res.headers, trailers: res.trailers, body }),
      );
    });
    outgoing.write('first,');
    outgoing.write('second');
    outgoing.addTrailers({ 'x-check': '13' });
    outgoing.end();
  });
  expect(arrived).toMatchObject({ body: 'first,second', trailers: { 'x-check': '13' } });
  expect(arrived?.headers['transfer-encoding']).toBe('chunked');
  expect(answer).toMatchObject({ status: 200, body: 'one,two', trailers: { 'x-sum': '7' } });
});

test('a WebSocket in the clear is passed on and echoes', async () => {
  const lab = await labOfTest();
  const sockets = new WebSocketServer({ noServer: true });
  const origin = await httpOrigin((_req, res) => res.end());
  origin.server.on('upgrade', (req, socket, head) => {
    sockets.handleUpgrade(req, socket, head, (accepted) => {
      accepted.on('message', (data, isBinary) => accepted.send(data, { binary: isBinary }));
    });
  });
  const client = new WebSocket(`ws://ok.test:${origin.port}/echo?q=1`, {
    createConnection: () => connect({ port: lab.proxyPort, host: '127.0.0.1' }),
    finishRequest: (outgoing) => {
      outgoing.path = `http://ok.test:${origin.port}/echo?q=1`;
      outgoing.end();
    },
  });
  onTestFinished(() => client.terminate());
  await once(client, 'open');
  const large = Buffer.alloc(300_000, 7);
  for (const message of [Buffer.from('hello'), large]) {
    client.send(message);
    const [echo] = (await once(client, 'message')) as [Buffer];
    expect(echo.equals(message)).toBe(true);
  }
  client.close(1000, 'done');
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(1000);
  await eventually('the log line', () => lab.lines().length === 1);
  expect(lab.lines()[0]).toMatchObject({ event: { action: 'upgrade-passed' }, url: { path: '/echo' } });
});

test('credentials for the proxy reach no origin, in the clear, in a WebSocket or through a tunnel', async () => {
  const lab = await labOfTest();
  const certificate = certificateOfTest('ok.test');
  const seen: string[] = [];
  const plain = await httpOrigin((req, res) => {
    seen.push(JSON.stringify(req.rawHeaders));
    res.end('ok');
  });
  const secure = await tlsOrigin(certificate, (req, res) => {
    seen.push(JSON.stringify(req.rawHeaders));
    res.end('ok');
  });
  const raw = await recorder();
  const proxy = ['-x', lab.proxyUrl, '--proxy-user', 'me:c2VjcmV0', '--cacert', certificate.file];
  const url = `http://ok.test:${plain.port}/`;
  expect((await curl(...proxy, url, url)).out).toBe('okok');
  expect((await curl(...proxy, `https://ok.test:${secure.port}/`)).out).toBe('ok');
  const upgrade = await connectRaw(
    lab.proxyPort,
    `GET http://ok.test:${raw.port}/ HTTP/1.1\r\nHost: ok.test:${raw.port}\r\nConnection: Upgrade\r\n` +
      'Upgrade: websocket\r\nProxy-Authorization: Basic bWU6YzJWamNtVjA=\r\n\r\n',
  );
  await eventually('the upgrade at the origin', () => raw.seen().includes('\r\n\r\n'));
  upgrade.socket.destroy();
  const all = `${seen.join()}${raw.seen().toString()}`;
  expect(seen).toHaveLength(3);
  expect(all).not.toMatch(/proxy-authorization|bWU6YzJ|c2VjcmV0/i);
  expect(all).toContain('websocket');
});

test('http://claude.ai/ gives the page to a browser, and its own error to a program', async () => {
  const lab = await labOfTest();
  const ask = (headers: Record<string, string>) =>
    askOver(connect({ port: lab.proxyPort, host: '127.0.0.1' }), {
      path: 'http://claude.ai/new',
      headers: { host: 'claude.ai', ...headers },
    });
  const page = await ask({ accept: 'text/html,*/*', 'upgrade-insecure-requests': '1' });
  expect(page).toMatchObject({ status: 403, headers: { 'content-type': 'text/html; charset=utf-8' } });
  expect(page.body).toContain('Claude Code is classified as high-risk.');
  expect(page.reason).toBe('Blocked by company policy - use http://assistant.test/');
  const error = await ask({ accept: '*/*' });
  expect(JSON.parse(error.body)).toMatchObject({ policy: { vendor: 'anthropic', product: 'claude' } });
  expect(await lab.metric('sallyport_blocked_total', 'product="claude"')).toBe(2);
});

test('a request that is no proxy request is turned away, counted, and told what this port is', async () => {
  const lab = await labOfTest();
  const direct = await curl('-i', lab.proxyUrl);
  expect(direct.out).toMatch(/^HTTP\/1\.1 400 .*proxy port/i);
  const tls = await connectRaw(lab.proxyPort, connectHead('no port here'));
  expect((await tls.ended).text).toMatch(/^HTTP\/1\.1 400 /);
  expect(await lab.metric('sallyport_errors_total', 'fault="client"')).toBe(2);
});
