/**
 * The catalogue that ships, asked for hosts that were written down without reading it: it knows them, and not their
 * neighbours.
 */
import { expect, test } from 'vitest';
import { parseHost } from '../../src/listen/target.ts';
import { find, serviceOf, table } from '../support/shipped-catalogue.ts';

const hosts = table('unread-hosts.txt');
const neighbours = table('unread-neighbours.txt');

test('every host is known as what it is', () => {
  expect(hosts.length).toBeGreaterThan(1000);
  const wrong = hosts.flatMap(([host = '', product]) => (serviceOf(host) === product ? [] : [[host, serviceOf(host)]]));
  expect(wrong).toEqual([]);
});

test('and for what it is there, where the table says so', () => {
  const told = hosts.filter(([, , role]) => role !== undefined);
  expect(told.length).toBeGreaterThan(300);
  const wrong = told.flatMap(([host = '', , role]) => {
    const found = find(parseHost(host).host)?.role;
    return found === role ? [] : [[host, found]];
  });
  expect(wrong).toEqual([]);
});

test('no neighbour is', () => {
  expect(neighbours.length).toBeGreaterThan(600);
  const wrong = neighbours.flatMap(([host = '']) => (serviceOf(host) === null ? [] : [[host, serviceOf(host)]]));
  expect(wrong).toEqual([]);
});
