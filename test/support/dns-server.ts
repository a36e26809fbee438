/** A real DNS server over UDP on the loopback, for names that a test makes up. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface DnsZone {
  readonly A?: readonly string[];
  readonly AAAA?: readonly string[];
  /** Seconds. */
  readonly ttl?: number;
  /** Response code: 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
  readonly code?: number;
  /** Milliseconds before each answer. */
  readonly slow?: number;
  /** Milliseconds before the answer about AAAA. */
  readonly slowAAAA?: number;
  /** Never answers. */
  readonly silent?: boolean;
}

export interface DnsServer extends AsyncDisposable {
  /** For `outbound.dns_servers`. */
  readonly address: string;
  /** What was asked, as `A name`. */
  readonly asked: readonly string[];
  readonly zone: Record<string, DnsZone>;
}

const types: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' };

function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const words = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const zeros = tail === undefined ? 0 : 8 - words(head).length - words(tail).length;
  const all = [...words(head), ...Array.from({ length: zeros }, () => '0'), ...words(tail)];
  return Buffer.from(all.map((word) => word.padStart(4, '0')).join(''), 'hex');
}

/** The name of the one question, and where the question ends. */
function questionOf(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function record(address: string, type: number, ttl: number): Buffer {
  const data = addressBytes(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0); // the name of the question
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

export async function startDnsServer(zone: Record<string, DnsZone> = {}): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const late = new Set<NodeJS.Timeout>();
  socket.on('message', (query, from) => {
    const { name, type, end } = questionOf(query);
    const kind = types[type];
    if (kind === undefined) return;
    asked.push(`${kind} ${name}`);
    const { ttl = 60, code, silent, slow = 0, slowAAAA = slow, ...records } = zone[name] ?? { code: 3 };
    if (silent === true) return;
    const answers = code === undefined ? (records[kind] ?? []).map((address) => record(address, type, ttl)) : [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(0x8180 | (code ?? 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt32BE(0, 8);
    const answer = Buffer.concat([head, query.subarray(12, end), ...answers]);
    const send = (): void => socket.send(answer, from.port, from.address, () => undefined);
    const wait = kind === 'AAAA' ? slowAAAA : slow;
    if (wait > 0) late.add(setTimeout(send, wait));
    else send();
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  return {
    address: `127.0.0.1:${port}`,
    asked,
    zone,
    async [Symbol.asyncDispose]() {
      for (const timer of late) clearTimeout(timer);
      socket.close();
      await once(socket, 'close');
    },
  };
}
