/** The catalogue that ships, asked for hosts that were written down without reading it: it knows them, and not their neighbours. */
import { expect, test } from 'vitest';
import { serviceOf, table } from '../support/shipped-catalogue.ts';

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
