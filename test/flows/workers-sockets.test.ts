/** Several processes on one port, as they are started where nothing is asked of Node.js. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canReusePort } from '../../src/workers/share.ts';
import { curl } from '../support/curl.ts';
import { recorder } from '../support/origins.ts';
import { procIsThere, serve } from '../support/product.ts';
import { lines, proxyOf } from '../support/workers.ts';

const checked = procIsThere('a listening socket for each worker');

test.runIf(checked && canReusePort(process.version, process.platform))(
  'each has a listening socket of its own where Node.js can, and all answer as one',
  async () => {
    const product = await serve({ settings: { workers: 2, access_log: { path: 'access.log' } } });
    const origin = await recorder('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
    // Local address and port, then the state: 0A is LISTEN (proc_net_tcp.txt of the kernel's documentation).
    const port = product.proxyPort.toString(16).toUpperCase().padStart(4, '0');
    const listening = readFileSync('/proc/net/tcp', 'utf8').match(new RegExp(`:${port} \\S+ 0A `, 'g'));
    expect(listening).toHaveLength(2);
    const ask = async (): Promise<string> => (await curl('-x', proxyOf(product), `http://ok.test:${origin.port}/`)).out;
    expect(await Promise.all(Array.from({ length: 40 }, ask))).toEqual(Array.from({ length: 40 }, () => 'ok'));
    expect(await lines(product, 40)).toHaveLength(40);
    expect(await product.metric('sallyport_requests_total', 'kind="request"', 'outcome="passed"')).toBe(40);
  },
);
