/** The requests of the benchmarks, over bare sockets, because a client library would cost more than the proxies do. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';
import process from 'node:process';
import { connect as connectTls } from 'node:tls';

const BULK = 256 * 1024 * 1024;
const chunk = Buffer.alloc(1024 * 1024);

/** @param {import('node:stream').Duplex} socket */
function opened(socket, event = 'connect') {
  return new Promise((resolve, reject) => socket.once(event, resolve).once('error', reject));
}

/**
 * @param {number} port of the proxy, on this machine
 * @param {number} origin its port, on this machine
 */
export function traffic(port, origin) {
  const target = `localhost:${origin}`;
  let serial = 0;
  let bytes = 0;

  /**
   * An HTTP answer, read up to the end of its body or, where it says no length, of the connection.
   * @param {import('node:stream').Duplex} socket
   * @param {boolean} headOnly as after a CONNECT
   * @returns {Promise<string>} the status
   */
  function answer(socket, headOnly) {
    return new Promise((resolve, reject) => {
      let head = '';
      let left = -1;
      const finish = () => {
        socket.off('data', onData).off('end', onEnd).off('error', reject);
        resolve(head.slice(9, 12));
      };
      /** @param {Buffer} data */
      const onData = (data) => {
        let body = data.length;
        if (left < 0) {
          head += data.toString('latin1');
          const end = head.indexOf('\r\n\r\n');
          if (end === -1) return;
          body = head.length - end - 4;
          const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
          left = headOnly ? 0 : Number(length ?? Infinity);
        }
        left -= body;
        bytes += body;
        if (left <= 0) finish();
      };
      const onEnd = () => {
        if (left === Infinity) finish();
        else reject(new Error('unexpected end'));
      };
      socket.on('data', onData).on('end', onEnd).on('error', reject);
    });
  }

  /** @param {string} authority */
  async function tunnel(authority, headOnly = true) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await opened(socket);
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    return { socket, status: await answer(socket, headOnly) };
  }

  /**
   * To the proxy itself, which is asked in the absolute form.
   * @returns {Promise<import('node:net').Socket>}
   */
  async function direct() {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await opened(socket);
    return socket;
  }

  /**
   * @param {import('node:net').Socket} socket
   * @param {string} url
   */
  async function get(socket, url) {
    socket.write(`GET ${url} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
    const status = await answer(socket, false);
    socket.destroy();
    return status;
  }

  /** @param {string} path */
  async function through(path) {
    const { socket } = await tunnel(target);
    return get(socket, path);
  }

  /**
   * As fast as it is taken.
   * @param {import('node:net').Socket} socket
   * @param {string} url
   */
  async function upload(socket, url) {
    socket.write(`POST ${url} HTTP/1.1\r\nHost: ${target}\r\nContent-Length: ${BULK}\r\nConnection: close\r\n\r\n`);
    const answered = answer(socket, false);
    for (let left = BULK; left > 0; left -= chunk.length) {
      // Where the connection breaks, the answer is what fails.
      if (!socket.write(chunk)) await Promise.race([answered, once(socket, 'drain')]);
    }
    const status = await answered;
    bytes += BULK;
    socket.destroy();
    return status;
  }

  /** @param {string} host */
  async function inside(host) {
    const { socket } = await tunnel(`${host}:443`);
    const tls = connectTls({ socket, servername: host, rejectUnauthorized: false });
    await opened(tls, 'secureConnect');
    tls.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n`);
    const status = await answer(tls, false);
    tls.destroy();
    return status;
  }

  /**
   * A connection for requests, one after the other.
   * @param {import('node:net').Socket} socket
   * @param {string} url
   */
  function requestsOn(socket, url) {
    return {
      request: () => {
        socket.write(`GET ${url} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
        return answer(socket, false);
      },
      close: () => void socket.destroy(),
    };
  }

  const kept = {
    http: async () => requestsOn(await direct(), `http://${target}/small`),
    message: async () => requestsOn((await tunnel(target)).socket, '/bytes/8192'),
  };

  /** @type {Record<'connect' | 'bulk' | 'upload' | 'httpbulk' | 'httpupload' | 'refuse' | 'blocktls' | 'blockcold', () => Promise<string>>} */
  const modes = {
    connect: () => through('/small'),
    bulk: () => through(`/bytes/${BULK}`),
    upload: async () => upload((await tunnel(target)).socket, '/'),
    httpbulk: async () => get(await direct(), `http://${target}/bytes/${BULK}`),
    httpupload: async () => upload(await direct(), `http://${target}/`),
    refuse: async () => {
      const { socket, status } = await tunnel('api.refused.test:443', false);
      socket.destroy();
      return status;
    },
    blocktls: () => inside('api.blocked.test'),
    blockcold: () => inside(`h${process.pid}x${(serial += 1)}.blocked.test`),
  };

  return { modes, kept, idle: () => tunnel(target), bytes: () => bytes };
}
