/** PROXY headers of version 2, right and wrong, as a load balancer writes them. */
import { isIPv6 } from 'node:net';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function addressBytes(text: string): Buffer {
  if (!isIPv6(text)) return Buffer.from(text.split('.').map(Number));
  const dotted = /[^:]*\.[^:]*$/.exec(text)?.[0];
  const hex =
    dotted === undefined
      ? text
      : text.replace(
          dotted,
          addressBytes(dotted)
            .toString('hex')
            .replace(/^(.{4})/, '$1:'),
        );
  const [left = [], right = []] = hex.split('::').map((part) => part.split(':').filter((word) => word !== ''));
  const words = [...left, ...new Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.from(words.map((word) => word.padStart(4, '0')).join(''), 'hex');
}

export interface ProxyV2 {
  readonly command?: number;
  readonly family: number;
  /** Source and destination; the ports are 4711 and 443. */
  readonly addresses?: string;
  /** Bytes of one TLV of type NOOP. */
  readonly tlvs?: number;
}

export function proxyV2({ command = 0x21, family, addresses = '', tlvs = 0 }: ProxyV2): Buffer {
  const [source, destination] = addresses.split(' ');
  const ports = Buffer.from([4711 >> 8, 4711 & 255, 443 >> 8, 443 & 255]);
  const located =
    source === undefined || destination === undefined || addresses === ''
      ? Buffer.alloc(0)
      : Buffer.concat([addressBytes(source), addressBytes(destination), ports]);
  const body = Buffer.concat([located, Buffer.alloc(tlvs, 4)]);
  const head = Buffer.from([command, family, body.length >> 8, body.length & 255]);
  return Buffer.concat([SIGNATURE, head, body]);
}
