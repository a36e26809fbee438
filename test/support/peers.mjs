/**
 * Both sides of a proxy in a network namespace: tunnels that are silent, that are poured into from the origin, and that
 * are poured into from the client. Says the metrics of the proxy when all of them are open: at once, for the silent
 * are ended soon. Usage: node peers.mjs PROXY-PORT ADMIN-PORT TUNNELS-OF-EACH
 */
import { Buffer } from 'node:buffer';
import { connect, createServer } from 'node:net';
import process from 'node:process';

const [proxy, admin, each] = process.argv.slice(2).map(Number);
const bulk = Buffer.alloc(1 << 16);

/** Writes for as long as there is somebody to write to. @param {import('node:net').Socket} socket */
function pour(socket) {
  const more = () => {
    while (!socket.destroyed && socket.write(bulk));
  };
  socket.on('drain', more);
  more();
}

const server = createServer((socket) => {
  socket.on('error', () => socket.destroy()).resume();
  socket.once('data', (first) => {
    if (first.toString().startsWith('pour')) pour(socket);
    // The silent are known to have come all the way.
    else socket.write('here');
  });
});

/** @param {number} port @param {string} what */
function tunnel(port, what) {
  return new Promise((resolve) => {
    const socket = connect({ port: proxy ?? 0, host: '127.0.0.1' });
    socket.on('error', () => socket.destroy());
    socket.write(`CONNECT ok.test:${port} HTTP/1.1\r\nHost: ok.test:${port}\r\n\r\n`);
    socket.once('data', () => {
      socket.write(what);
      socket.once('data', resolve).resume();
      if (what === 'take') pour(socket);
    });
  });
}

server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const bound = server.address();
if (bound === null || typeof bound === 'string') throw new Error('no port');
const kinds = ['rest', 'pour', 'take'].flatMap((what) => Array.from({ length: each ?? 0 }, () => what));
await Promise.all(kinds.map((what) => tunnel(bound.port, what)));
const metrics = await globalThis.fetch(`http://127.0.0.1:${admin}/metrics`, { headers: { connection: 'close' } });
process.stdout.write(await metrics.text());
