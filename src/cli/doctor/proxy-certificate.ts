/** Checks whether the machine can trust the certificate of the port over TLS, before it sends a password there. */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { trustedRoots } from '../../certificates/roots.ts';
import { hostOfUrl, type Address } from '../../config/network.ts';
import { bad, faultOf, good, type Finding } from './finding.ts';

/** Milliseconds for the handshake. */
const PATIENCE = 5_000;

/** Host of a URL without brackets, and its port, by default that of the scheme. */
export function placeOf(url: URL): Address {
  const usual = url.protocol === 'https:' ? 443 : 80;
  return { host: hostOfUrl(url), port: url.port === '' ? usual : Number(url.port) };
}

/** Whether a handshake failed because the proxy requires a client certificate. */
export function wantsCertificate(error: unknown): boolean {
  return /CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(faultOf(error));
}

/** @param ca of the proxy; trusted here in addition to the machine's, as browsers should trust it too. */
export function proxyCertificate(proxy: URL, ca: X509Certificate | null): Promise<Finding> {
  const check = 'proxy TLS';
  const { host, port } = placeOf(proxy);
  return new Promise((resolve) => {
    const roots = [...trustedRoots(null)(), ...(ca === null ? [] : [ca.toString()])];
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const tls = connect({ host, port, ...servername, ca: roots, rejectUnauthorized: false });
    tls.setTimeout(PATIENCE, () => tls.destroy(new Error('no TLS handshake in time')));
    tls.once('error', (error) => {
      const cure = 'name the port of listen.proxy_tls after https://, and the plain one after http://';
      resolve(bad(check, `${proxy.host} does not speak TLS here (${faultOf(error)})`, cure));
    });
    tls.once('secureConnect', () => {
      const { subjectaltname: names = 'nobody', valid_to: end } = tls.getPeerCertificate();
      const fault = tls.authorized ? null : String(tls.authorizationError);
      tls.destroy();
      if (fault === null) resolve(good(check, `its certificate is valid for ${host} until ${end}`));
      else if (fault.includes('ALTNAME')) {
        const cure = `name the proxy as its certificate does, or put ${host} into listen.proxy_tls.server_names`;
        resolve(bad(check, `its certificate is for ${names}, not for ${host}`, cure));
      } else {
        const cure =
          'make this machine trust the CA of that certificate, or set listen.proxy_tls.server_names to get one from the CA of the proxy';
        resolve(bad(check, `its certificate is not valid (${fault})`, cure));
      }
    });
  });
}
