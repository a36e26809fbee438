/** What DNS may answer: one question for each attempt, and every answer is judged. */
import { expect } from 'vitest';
import { createDestinations } from '../../src/act/destinations.ts';
import { createDialler } from '../../src/act/upstream.ts';
import { parseAuthority } from '../../src/listen/target.ts';
import { connectRaw } from '../support/streams.ts';
import { connectHead } from '../support/tunnels.ts';
import { attack, get, openField, statusOf } from './field.ts';

const field = openField();

attack(
  field,
  43,
  'DNS that answers a public address first, and a private one to the next question',
  'one question for each attempt; the address that was checked is the one that is dialled',
  async (here) => {
    let asked = 0;
    const answers = ['203.0.113.1', '127.0.0.1'];
    const dialler = createDialler({
      resolver: { resolve: () => [answers[asked++] ?? '127.0.0.1'] },
      destinations: createDestinations({ ports: [here.far.port], allow: [], own: () => [] }),
      connectTimeout: 300,
    });
    const { socket } = await connectRaw(here.far.port);
    const taken = here.far.taken();
    const target = parseAuthority(`rebind.example:${here.far.port}`);
    // The first answer is documentation space, the second is loopback: neither may be dialled, and neither is asked
    // twice.
    await expect(dialler.dial(target, socket)).rejects.toMatchObject({ code: 'destination_prohibited' });
    expect(asked).toBe(1);
    await expect(dialler.dial(target, socket)).rejects.toMatchObject({ code: 'destination_prohibited' });
    expect(asked).toBe(2);
    expect(here.far.taken()).toBe(taken);
    socket.destroy();
  },
);

attack(
  field,
  45,
  'Names that do not exist, resolvers that answer late or not at all, thousands of answers',
  '502 or 504 within the deadline; names behind a CNAME are not judged, their address is',
  async (here) => {
    for (const bytes of [get('http://does-not-exist.invalid/'), connectHead('does-not-exist.invalid:443')]) {
      const answer = await here.send(bytes);
      expect(statusOf(answer)).toBe(502);
      expect(answer).toMatch(/^X-Proxy-Error: dns_error/im);
    }
    const many = Array.from({ length: 4_000 }, (_, i) => `10.${i >> 8}.${i & 255}.1`);
    const dialler = createDialler({
      resolver: { resolve: () => many },
      destinations: createDestinations({ ports: [80], allow: [], own: () => [] }),
      connectTimeout: 300,
    });
    const { socket } = await connectRaw(here.far.port);
    await expect(dialler.dial(parseAuthority('many.example:80'), socket)).rejects.toMatchObject({
      code: 'destination_prohibited',
    });
    socket.destroy();
  },
);
