/** Checks whether a client machine reaches the proxy and its pages, and gets denials that it can read. */
import { X509Certificate } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { bad, faultOf, good, skipped, warning, type Finding } from './finding.ts';
import { placeOf, wantsCertificate } from './proxy-certificate.ts';

/** Milliseconds for each request. */
const PATIENCE = 5_000;
/** Certificates and signed contexts tolerate some clock skew. Milliseconds. */
const SKEW_BAD = 300_000;
const SKEW_ODD = 60_000;
/** Bytes of a response that are read. */
const TEXT = 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** The certificate is checked separately. */
function sender({ protocol }: URL): typeof requestTls {
  return protocol === 'https:' ? requestTls : request;
}

export function ask(url: URL, options: { readonly path?: string; readonly method?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const to = {
      ...placeOf(url),
      path: options.path ?? url.pathname,
      agent: false,
      rejectUnauthorized: false,
    } as const;
    const asked = sender(url)({ ...to, method: options.method ?? 'GET', timeout: PATIENCE }, (res) => {
      const chunks: Buffer[] = [];
      let size = 0;
      res.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > TEXT) res.destroy(new Error('the answer is too large'));
        chunks.push(chunk);
      });
      res.once('error', reject);
      res.once('end', () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) });
      });
    });
    asked.once('error', reject).once('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.end();
  });
}

/** The proxy answers requests that are not for a proxy, with a field that identifies it. */
export async function reach(proxy: URL): Promise<Finding> {
  const check = 'proxy';
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') {
    const says = `${proxy.host} is named with ${proxy.protocol}//, but the proxy speaks HTTP`;
    return bad(check, says, 'write --proxy http://HOST:3128, or https:// for its TLS port');
  }
  const cure = 'correct the address in HTTPS_PROXY or --proxy, and let it through the firewall';
  try {
    const { headers } = await ask(proxy, { path: '/' });
    if (headers['x-proxy-error'] !== undefined) return good(check, `${proxy.host} is reached`);
    return bad(check, `${proxy.host} answers, but it is not Sallyport`, cure);
  } catch (error) {
    if (proxy.protocol === 'https:' && wantsCertificate(error)) {
      const says = `${proxy.host} asks for a client certificate, which doctor cannot send`;
      return bad(check, says, 'check the plain port, as in --proxy http://HOST:3128; or try curl --proxy-cert');
    }
    return bad(check, `${proxy.host} cannot be reached (${faultOf(error)})`, cure);
  }
}

export interface Pages {
  readonly findings: readonly Finding[];
  /** The CA that the pages offer; null if there is none. */
  readonly ca: X509Certificate | null;
}

function skewOf({ headers }: Answer, now: number): Finding {
  const skew = Date.parse(headers.date ?? '') - now;
  if (Number.isNaN(skew)) return skipped('clock', 'the proxy does not say what time it is');
  const says = `${Math.round(Math.abs(skew) / 1000)} s ${skew > 0 ? 'behind' : 'ahead of'} the proxy`;
  const cure = 'switch on time synchronisation; certificates are refused if the clock is wrong';
  if (Math.abs(skew) > SKEW_BAD) return bad('clock', says, cure);
  return Math.abs(skew) > SKEW_ODD ? warning('clock', says, cure) : good('clock', says);
}

function pacOf({ status, body }: Answer, proxy: URL): Finding {
  const text = body.toString();
  const cure = 'set pages.url and listen.proxy in sallyport.yaml to what clients reach';
  if (status !== 200 || !text.includes('FindProxyForURL')) return bad('PAC', 'no proxy.pac is served', cure);
  const directive = proxy.protocol === 'https:' ? 'HTTPS' : 'PROXY';
  if (text.includes(`${directive} ${proxy.host}`)) return good('PAC', `proxy.pac names ${proxy.host}`);
  const named = /(?:PROXY|HTTPS) ([^";]+)/.exec(text)?.[1] ?? 'nothing';
  return warning('PAC', `proxy.pac names ${named}, not ${proxy.host}`, cure);
}

/** @param now epoch milliseconds. */
export async function visitPages(pages: URL, proxy: URL, now: number): Promise<Pages> {
  try {
    const [pac, pem] = await Promise.all([ask(new URL('/proxy.pac', pages)), ask(new URL('/ca.pem', pages))]);
    const findings = [good('pages', `${pages.origin} is reached`), pacOf(pac, proxy), skewOf(pac, now)];
    if (pem.status !== 200) {
      const says = 'the proxy hands out no CA certificate';
      return { findings: [...findings, warning('CA', says, 'denied hosts are then refused at the CONNECT')], ca: null };
    }
    const ca = new X509Certificate(pem.body);
    return { findings: [...findings, good('CA', `SHA-256 ${ca.fingerprint256}`)], ca };
  } catch (error) {
    const cure = 'name the address of the pages with --pages, or the certificate with --ca';
    return { findings: [bad('pages', `${pages.origin} cannot be reached (${faultOf(error)})`, cure)], ca: null };
  }
}

type Tunnel =
  { readonly kind: 'open'; readonly socket: Socket } | { readonly kind: 'refused'; readonly answer: string };

function openTunnel(proxy: URL, host: string): Promise<Tunnel> {
  return new Promise((resolve, reject) => {
    const authorization = proxy.username === '' ? {} : { 'proxy-authorization': credentials(proxy) };
    const asked = sender(proxy)({
      ...placeOf(proxy),
      rejectUnauthorized: false,
      method: 'CONNECT',
      path: `${host}:443`,
      headers: { host: `${host}:443`, ...authorization },
      agent: false,
      timeout: PATIENCE,
    });
    asked.once('connect', (res, socket) => {
      if (res.statusCode === 200) {
        resolve({ kind: 'open', socket });
        return;
      }
      socket.destroy();
      const code = res.headers['x-proxy-error']?.toString() ?? '';
      resolve({ kind: 'refused', answer: `${res.statusCode ?? 0} ${code}`.trim() });
    });
    asked.once('error', reject).once('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.end();
  });
}

function credentials({ username, password }: URL): string {
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** Completes the handshake and sends nothing, so that the proxy does not count this as a program that trusts its CA. */
function leafOf(socket: Socket, host: string, ca: X509Certificate): Promise<{ trusted: boolean; issuer: string }> {
  return new Promise((resolve, reject) => {
    const tls = connectTls({ socket, servername: host, ca: ca.toString(), rejectUnauthorized: false });
    tls.setTimeout(PATIENCE, () => tls.destroy(new Error('no TLS handshake in time')));
    tls.once('error', reject);
    tls.once('secureConnect', () => {
      const { issuer } = tls.getPeerCertificate();
      const name = [issuer.O, issuer.CN].flat().filter((part) => part !== undefined);
      resolve({ trusted: tls.authorized, issuer: name.join(', ') });
      tls.destroy();
    });
  });
}

/** Connects to a host that should be denied, up to the certificate. */
export async function probe(proxy: URL, host: string, ca: X509Certificate | null): Promise<Finding> {
  const check = 'denied host';
  try {
    const tunnel = await openTunnel(proxy, host);
    if (tunnel.kind === 'refused' && tunnel.answer.startsWith('407')) {
      const says = `${host} was not requested: the proxy requires a user name and password (${tunnel.answer})`;
      return warning(check, says, 'name the proxy as http://USER:PASSWORD@HOST:PORT in --proxy or HTTPS_PROXY');
    }
    if (tunnel.kind === 'refused') {
      const says = `${host} is refused at the CONNECT (${tunnel.answer}): few programs show why`;
      const cure =
        'trust the CA below; if it is trusted, ask whether the rule says "manner: refuse" or the host cannot be reached';
      return warning(check, says, cure);
    }
    if (ca === null) {
      tunnel.socket.destroy();
      return skipped(check, 'without the certificate of the proxy, its answer cannot be verified');
    }
    const { trusted, issuer } = await leafOf(tunnel.socket, host, ca);
    if (trusted) return good(check, `${host} is answered by the proxy itself, with a certificate of its CA`);
    return skipped(
      check,
      `${host} is not denied: its certificate was issued by ${issuer}; name a denied host with --probe`,
    );
  } catch (error) {
    return bad(
      check,
      `${host} could not be requested (${faultOf(error)})`,
      'see the lines above; then ask the operators',
    );
  }
}
