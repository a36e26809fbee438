/**
 * A TLS context whose leaf is replaced for each host. Creating a separate context is three quarters of the cost of a
 * new host (0.16 of 0.2 ms on Node 24, 0.6 of 0.85 ms on Node 20), and not worth it for a host that is requested once.
 */
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';

/** Methods that `createSecureContext` itself calls. Undocumented, so their presence is checked before use. */
interface Native {
  setCert(pem: string): void;
  setSessionIdContext(id: string): void;
}

function isNative(value: unknown): value is Native {
  const has = (name: keyof Native): boolean => typeof Reflect.get(Object(value), name) === 'function';
  return has('setCert') && has('setSessionIdContext');
}

/**
 * Puts `leaf`, PEM, and the id of the sessions that may be resumed with it into the context. Valid for connections that
 * begin before the next call: OpenSSL copies the certificate into each of them (SSL_new(3)).
 */
export type ShowLeaf = (leaf: string, sessionIdContext: string) => SecureContext;

/**
 * @param options what all leaves have in common, including their key.
 * @param first the initial leaf, PEM.
 * @param chain certificates sent after each leaf, PEM, which stay when the leaf changes.
 * @returns null if this Node.js cannot replace the leaf of a context.
 */
export function createChangingContext(options: SecureContextOptions, first: string, chain: string): ShowLeaf | null {
  const context = createSecureContext({ ...options, cert: first + chain });
  const native: unknown = context.context;
  if (!isNative(native)) return null;
  return (leaf, sessionIdContext) => {
    native.setCert(leaf);
    native.setSessionIdContext(sessionIdContext);
    return context;
  };
}
