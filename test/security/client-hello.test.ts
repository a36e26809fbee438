/** The ClientHello, and what else comes through a tunnel. */
import { expect } from 'vitest';
import {
  alpn,
  extension,
  framed,
  helloMessage,
  helloOfNode,
  helloOfOpenssl,
  messageOf,
  serverNames,
} from '../support/hellos.ts';
import { eventually } from '../support/streams.ts';
import { rawTunnel } from '../support/tunnels.ts';
import type { LogLine } from '../support/lab.ts';
import { attack, fieldPolicy, openField, type Field } from './field.ts';

/** What is no name of the lab is reached there all the same. */
const settings = {
  outbound: {
    hosts: { '*.test': '127.0.0.1', 'cloudflare-ech.com': '127.0.0.1' },
    allow: ['*.test', 'cloudflare-ech.com', '127.0.0.1'],
  },
};
const field = openField({ settings });
/** Only TLS may be spoken behind the port of its far side, as behind 443. */
const strict = openField({
  settingsFor: (port) => ({ tunnels: { hello_timeout: '1s', idle_timeout: '20s', tls_required_ports: [443, port] } }),
});

/** Encrypted hellos are let through, which they are not by default beside rules that deny. */
const lenient = openField({
  settings,
  policy: fieldPolicy.replace('raw_address: deny', 'raw_address: deny, ech: allow'),
});

/** The head of a handshake or an alert record. */
const tlsRecord = new RegExp(`^[${String.fromCharCode(21, 22)}]${String.fromCharCode(3)}`);

/** Writes the pieces one after the other, each in a segment of its own. */
async function dribble(write: (bytes: Buffer) => void, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    write(piece);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function bytewise(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}

/** The proxy itself answers these first bytes with TLS: the first record of a handshake, or nothing. */
async function answeredHere({ lab, far, at }: Field, pieces: readonly Buffer[], host = 'deny.test'): Promise<boolean> {
  const client = await rawTunnel(lab.proxyPort, at(host));
  await dribble(client.write, pieces);
  const spoken = client.until(tlsRecord).then(() => true);
  const result = await Promise.race([spoken, client.ended.then(() => false)]).catch(() => false);
  client.socket.destroy();
  expect(far.bytes()).toBe('');
  return result;
}

/** Whether these bytes reach the origin of an allowed host just as they were sent. */
async function passes({ lab, far, at }: Field, pieces: readonly Buffer[], host = 'ok.test'): Promise<void> {
  far.forget();
  const client = await rawTunnel(lab.proxyPort, at(host));
  await dribble(client.write, pieces);
  const whole = Buffer.concat(pieces).toString('latin1');
  await eventually('the hello at the origin', () => far.bytes().length >= whole.length);
  expect(far.bytes()).toBe(whole);
  client.socket.destroy();
  far.forget();
}

attack(
  field,
  26,
  'A ClientHello in single bytes, in records of 1, 5 and 90 bytes, cut inside the name, with odd record versions',
  'read as OpenSSL reads it: the denied is answered, the allowed arrives as it was sent',
  async (here) => {
    const [denied, allowed] = await Promise.all([
      helloOfNode({ servername: 'deny.test' }),
      helloOfNode({ servername: 'ok.test' }),
    ]);
    const cuts = (hello: Buffer, name: string): readonly (readonly Buffer[])[] => {
      const inside = hello.indexOf(name) + 3;
      const message = messageOf(hello);
      return [
        bytewise(hello),
        [hello.subarray(0, inside), hello.subarray(inside)],
        ...[1, 5, 90].map((size) => [framed(message, size)]),
        ...[0x0300, 0x0399].map((version) => [framed(message, 16_384, version)]),
      ];
    };
    for (const [i, pieces] of cuts(denied, 'deny.test').entries())
      expect(await answeredHere(here, pieces), `cut ${i}`).toBe(true);
    for (const pieces of cuts(allowed, 'ok.test')) await passes(here, pieces);
  },
);

attack(
  field,
  27,
  'Hellos of post-quantum size: 2 KiB, 23 KiB in two records, 60,000 bytes of padding before the name, more than 64 KiB',
  'read up to 64 KiB; beyond that the tunnel ends, and is never taken for one without a name',
  async (here) => {
    const padded = (name: string, padding: number): Buffer =>
      framed(helloMessage([extension(21, Buffer.alloc(padding)), serverNames([0, name])]));
    for (const padding of [1_600, 23_000, 60_000]) {
      expect(await answeredHere(here, [padded('deny.test', padding)]), String(padding)).not.toBe(undefined);
      await passes(here, [padded('ok.test', padding)]);
    }
    const manyNames = Array.from({ length: 90 }, (_, i) => `protocol-with-a-long-name-${i}`).join(',');
    const big = await helloOfOpenssl('-servername', 'deny.test', '-alpn', manyNames);
    expect(await answeredHere(here, [big])).toBe(true);
    // Three extensions of 30,000 bytes: more than a hello may have, with an allowed name at its end.
    const tooLarge = helloMessage([
      extension(21, Buffer.alloc(30_000)),
      extension(41_000, Buffer.alloc(30_000)),
      serverNames([0, 'ok.test']),
    ]);
    tooLarge.writeUIntBE(70_000, 1, 3);
    const client = await rawTunnel(here.lab.proxyPort, here.at('ok.test'));
    client.write(Buffer.concat([framed(tooLarge), framed(Buffer.alloc(10_000))]));
    await client.ended;
    expect(here.far.bytes()).toBe('');
  },
);

attack(
  field,
  28,
  'GREASE ECH, which every Chrome and Firefox sends',
  'never held against anyone: an allowed host is reached, a denied one answered',
  async (here) => {
    const hello = (name: string): Buffer =>
      framed(helloMessage([extension(0xfe0d, Buffer.alloc(250, 5)), serverNames([0, name]), alpn('h2', 'http/1.1')]));
    for (const one of [here, lenient()]) {
      await passes(one, [hello('ok.test')]);
      expect(await answeredHere(one, [hello('deny.test')])).toBe(true);
    }
  },
);

attack(
  strict,
  30,
  'Server names that are none: empty, an address, 256 octets, markup, CR LF, UTF-8, NUL, two names, two extensions',
  'the tunnel ends; nothing is relayed and no callback throws',
  async ({ lab, far, at }) => {
    const twice = [serverNames([0, 'ok.test']), serverNames([0, 'deny.test'])];
    const names: readonly (readonly Buffer[])[] = [
      ...[
        '',
        '127.0.0.1',
        'a'.repeat(256),
        '<script>alert(1)</script>',
        'a\r\nX: y',
        'ä.test',
        'ok.test\0.deny.test',
      ].map((name) => [serverNames([0, name])]),
      [serverNames([0, 'ok.test'], [0, 'deny.test'])],
      twice,
      [serverNames([1, 'ok.test'])],
    ];
    for (const [i, extensions] of names.entries()) {
      for (const host of ['ok.test', 'deny.test']) {
        const client = await rawTunnel(lab.proxyPort, at(host));
        client.write(framed(helloMessage(extensions)));
        const { text } = await client.ended;
        expect(text, `${i} ${host}`).not.toContain('script');
      }
    }
    expect(far.bytes()).toBe('');
  },
);

attack(
  field,
  29,
  'Encrypted ClientHello: a public name outside, the true one hidden, for a denied and for an allowed CONNECT',
  'decided on the name of the CONNECT; another outer name or a public one ends the tunnel, with `ech: allow` no public one',
  async (here) => {
    const ech = (outer: string): Buffer =>
      framed(helloMessage([extension(0xfe0d, Buffer.alloc(300, 3)), serverNames([0, outer])]));
    const mild = lenient();
    const lineOf = async (one: Field, asked: string, outer: string): Promise<LogLine | undefined> => {
      const [line] = await one.logged(1, async () => {
        const veiled = await rawTunnel(one.lab.proxyPort, one.at(asked));
        veiled.write(ech(outer));
        await veiled.ended;
      });
      return line;
    };
    for (const one of [here, mild]) {
      // The denial is answered under whichever name the client believes to talk to.
      for (const outer of ['cloudflare-ech.com', 'ech.example'])
        expect(await answeredHere(one, [ech(outer)], 'deny.test')).toBe(true);
    }
    for (const [asked, outer] of [
      ['cloudflare-ech.com', 'cloudflare-ech.com'],
      ['ok.test', 'cloudflare-ech.com'],
    ] as const) {
      expect(await lineOf(here, asked, outer)).toMatchObject({
        rule: { id: 'encrypted-client-hello' },
        sallyport: { error: 'ech_denied', answer: 'reset', ech: true },
      });
    }
    const differing = { rule: { id: 'server-name-mismatch' }, sallyport: { error: 'server_name_mismatch' } };
    expect(await lineOf(here, 'ok.test', 'ech.example')).toMatchObject(differing);
    expect(here.far.bytes()).toBe('');
    // Nothing tells the first from a visit to the public name itself: it is for the policy to say.
    for (const asked of ['cloudflare-ech.com', 'ok.test']) {
      const [line] = await mild.logged(1, () => passes(mild, [ech('cloudflare-ech.com')], asked));
      expect(line).toMatchObject({ url: { domain: asked }, sallyport: { effect: 'allow', ech: true } });
    }
    expect(await lineOf(mild, 'ok.test', 'ech.example')).toMatchObject({ rule: { id: 'server-name-mismatch' } });
    expect(mild.far.bytes()).toBe('');
  },
);
