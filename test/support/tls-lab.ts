/** The whole product with a port over TLS. */
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { makeCertificate } from './certificate.ts';
import { labPolicy, startLab, type Lab, type LogLine } from './lab.ts';
import { rawClient, type RawClient } from './streams.ts';

export type Line = LogLine & { readonly user?: { readonly name: string }; readonly source?: { readonly ip: string } };

/** A lab with a port over TLS; `certificate` is the one that is brought along for it. */
export interface TlsLab extends Lab {
  readonly port: number;
  readonly url: string;
  readonly certFile: string;
  readonly certificate: string;
}

/** @param more keys of `proxy_tls`. @param listen keys of `listen`. @param settings other keys. */
export async function tlsLab(more: object = {}, listen: object = {}, settings: object = {}): Promise<TlsLab> {
  const certificate = makeCertificate('127.0.0.1', 'proxy.test');
  onTestFinished(() => certificate.remove());
  const proxyTls = {
    address: '127.0.0.1:0',
    cert_file: certificate.file,
    key_file: certificate.file.replace('cert.pem', 'key.pem'),
    ...more,
  };
  const addresses = { proxy: '127.0.0.1:0', pages: '127.0.0.1:0', admin: '127.0.0.1:0' };
  const started = await startLab({
    policy: labPolicy,
    settings: { listen: { ...addresses, proxy_tls: proxyTls, ...listen }, limits: { head_timeout: '2s' }, ...settings },
  });
  onTestFinished(() => started.close());
  const port = Number(/proxy over TLS on 127\.0\.0\.1:(\d+)/.exec(started.told.join('\n'))?.[1]);
  return {
    ...started,
    port,
    url: `https://127.0.0.1:${port}`,
    certFile: certificate.file,
    certificate: certificate.cert,
  };
}

/** Over TLS with the proxy itself. */
export async function overTls(at: TlsLab, options: object = {}, socket?: Socket): Promise<RawClient<TLSSocket>> {
  const to = { host: '127.0.0.1', port: at.port, ...(socket !== undefined && { socket }) };
  const tls = connectTls({ ...to, ca: at.certificate, ...options });
  onTestFinished(() => void tls.destroy());
  const client = rawClient(tls);
  await new Promise((resolve, reject) => tls.once('secureConnect', resolve).once('error', reject));
  return client;
}

export const linesOf = (at: Lab): Line[] => at.lines() as Line[];
