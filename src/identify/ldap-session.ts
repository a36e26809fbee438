/** One session with a directory server (LDAP, RFC 4511), inside TLS before the first password. */
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Client, ResultCodeError } from 'ldapts';
import { createLdapMessages } from './ldap-messages.ts';

export interface LdapServer {
  /** `ldaps://host:port`; or `ldap://host:port`, which uses STARTTLS. */
  readonly url: string;
  /** CAs of its certificate in PEM form; null: those of Node.js. */
  readonly ca: Buffer | null;
  /** Milliseconds for a whole session. */
  readonly timeout: number;
}

export interface Entry {
  readonly dn: string;
  /** The values of an attribute, whose name is compared regardless of case. */
  readonly values: (attribute: string) => readonly string[];
}

export interface Directory {
  /** Whether the password is right. Never for an empty one, which would bind anonymously (RFC 4513, 5.1.2). */
  readonly bind: (name: string, password: string) => Promise<boolean>;
  /** At most two entries, which suffices to detect ambiguity. */
  readonly search: (base: string, filter: string, attributes: readonly string[]) => Promise<readonly Entry[]>;
}

/**
 * Results that are about the user rather than the server: no such object, invalid DN, wrong password, no password to
 * check, no access, and codes that servers use for locked accounts (19 and 53, besides 49).
 */
const refusals = new Set([19, 32, 34, 48, 49, 50, 53]);

/**
 * Bytes that a server may send in one session: a user with thousands of groups needs a fifth of it. Incomplete messages
 * are copied for each piece that arrives.
 */
const MOST = 1024 * 1024;

/** What went wrong, on one line that is the same for the same cause. */
export function whyOf(error: unknown): string {
  if (error instanceof ResultCodeError) return `it answers with LDAP result ${error.code}`;
  if (!(error instanceof Error)) return String(error);
  return (error as NodeJS.ErrnoException).code ?? error.message.split('\n', 1)[0] ?? '';
}

/** The connection to the server, which can be closed at any time. */
interface Line {
  /** The innermost socket: TLS once that has begun. */
  socket: Socket | null;
  /** Why we closed it; null: we did not. */
  why: string | null;
}

function hangUp(line: Line, why: string): void {
  line.why ??= why;
  line.socket?.destroy(new Error(why));
}

/** The socket for the library: what arrives is checked, and passed on one complete message at a time. */
function checked(socket: Socket, line: Line): Socket {
  const messagesOf = createLdapMessages(MOST);
  const side = new Duplex({
    readableObjectMode: true,
    // No back-pressure: a session is limited to 1 MiB.
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const message of messagesOf(chunk)) side.push(message);
    } catch (error) {
      hangUp(line, whyOf(error));
    }
  });
  socket.on('end', () => side.push(null));
  socket.on('error', (error) => side.destroy(error)).on('close', () => side.destroy());
  // The library takes these to mean that it is connected.
  return Object.assign(side, { connecting: false, readyState: 'open' }) as unknown as Socket;
}

/**
 * STARTTLS (RFC 4511, section 4.14). The client that requests it is discarded, with everything that came before TLS.
 */
async function startTls(plain: Socket, options: ConnectionOptions, line: Line): Promise<Socket> {
  let inner: Socket = plain;
  const asking = new Client({
    url: 'ldap://directory',
    createConnection: () => checked(plain, line),
    createSecureConnection: () => {
      plain.removeAllListeners('data');
      const secured = connectTls({ ...options, socket: plain });
      line.socket = inner = secured.on('error', () => undefined);
      return secured;
    },
  });
  await asking.startTLS();
  return inner.removeAllListeners('data');
}

async function dial({ url, ca }: LdapServer, line: Line): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replaceAll(/[[\]]/g, '');
  const options: ConnectionOptions = {
    host,
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== null && { ca }),
  };
  const secure = protocol === 'ldaps:';
  const at = { host, port: port === '' ? (secure ? 636 : 389) : Number(port) };
  const socket = secure ? connectTls({ ...options, ...at }) : connect(at);
  socket.on('error', () => undefined);
  line.socket = socket;
  await once(socket, secure ? 'secureConnect' : 'connect');
  return secure ? socket : startTls(socket, options, line);
}

function directoryOver(client: Client): Directory {
  return {
    async bind(name, password) {
      if (name === '' || password === '') return false;
      try {
        await client.bind(name, password);
        return true;
      } catch (error) {
        if (error instanceof ResultCodeError && refusals.has(error.code)) return false;
        throw error;
      }
    },
    async search(base, filter, attributes) {
      const { searchEntries } = await client.search(base, { filter, attributes: [...attributes], sizeLimit: 2 });
      return searchEntries.map((entry) => ({
        dn: entry.dn,
        values: (attribute) => {
          const name = Object.keys(entry).find((key) => key.toLowerCase() === attribute.toLowerCase()) ?? '';
          return [entry[name] ?? []].flat().filter((value) => typeof value === 'string');
        },
      }));
    },
  };
}

/** @throws {Error} if no session is possible; see {@link whyOf}. */
export async function converse<T>(server: LdapServer, talk: (directory: Directory) => Promise<T>): Promise<T> {
  const line: Line = { socket: null, why: null };
  const timer = setTimeout(() => hangUp(line, `no answer within ${server.timeout} ms`), server.timeout);
  try {
    const socket = await dial(server, line);
    let connected = false;
    const client = new Client({
      url: 'ldap://directory',
      createConnection: () => {
        // After a disconnect the library would reconnect by itself, and send the password in the clear.
        if (connected) throw new Error('it hung up');
        connected = true;
        return checked(socket, line);
      },
    });
    const result = await talk(directoryOver(client));
    await client.unbind();
    return result;
  } catch (error) {
    throw line.why === null ? error : new Error(line.why, { cause: error });
  } finally {
    clearTimeout(timer);
    line.socket?.destroy();
  }
}
