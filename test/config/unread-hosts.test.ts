/** The catalogue that ships, asked for hosts that were written down without reading it: it knows them, and not their neighbours. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toVendor } from '../../src/config/vendor-schema.ts';
import { readVendors } from '../../src/config/vendors.ts';
import { indexHosts } from '../../src/decide/match.ts';
import { indexServices } from '../../src/identify/services.ts';
import { parseHost } from '../../src/listen/target.ts';

function table(name: string): string[][] {
  const text = readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(' '));
}

const find = indexServices(
  readVendors('config/vendors', null).map(({ vendor }) => toVendor(vendor)),
  indexHosts,
);

function serviceOf(host: string): string | null {
  const service = find(parseHost(host).host);
  return service === null ? null : `${service.vendor}/${service.product}`;
}

const hosts = table('unread-hosts.txt');
const neighbours = table('unread-neighbours.txt');

test('every host is known as what it is', () => {
  expect(hosts.length).toBeGreaterThan(400);
  const wrong = hosts.flatMap(([host = '', product]) => (serviceOf(host) === product ? [] : [[host, serviceOf(host)]]));
  expect(wrong).toEqual([]);
});

test('no neighbour is', () => {
  expect(neighbours.length).toBeGreaterThan(300);
  const wrong = neighbours.flatMap(([host = '']) => (serviceOf(host) === null ? [] : [[host, serviceOf(host)]]));
  expect(wrong).toEqual([]);
});
