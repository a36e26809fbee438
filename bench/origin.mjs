/**
 * The origin of the benchmarks: `/small` is 2 KiB, `/bytes/N` is N bytes, and a POST is read to its end. Prints its
 * port. SIGUSR2 ends the connections that wait for another request.
 */
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import process from 'node:process';

const small = Buffer.alloc(2048, '0123456789abcdef');
const chunk = Buffer.alloc(256 * 1024);

/**
 * Writes as fast as it is taken.
 * @param {import('node:http').ServerResponse} res
 * @param {number} size
 */
function pour(res, size) {
  let left = size;
  const more = () => {
    while (left > 0) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk;
      left -= part.length;
      if (!res.write(part)) {
        res.once('drain', more);
        return;
      }
    }
    res.end();
  };
  more();
}

const server = createServer((req, res) => {
  // Some proxies pass the absolute form on.
  const size = /\/bytes\/(\d+)$/.exec(req.url ?? '')?.[1];
  res.setHeader('Content-Length', size ?? small.length);
  if (req.method === 'POST') req.once('end', () => res.end(small)).resume();
  else if (size === undefined) res.end(small);
  else pour(res, Number(size));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const bound = server.address();
  process.stdout.write(`${typeof bound === 'object' ? bound?.port : ''}\n`);
});
process.on('SIGUSR2', () => server.closeIdleConnections());
