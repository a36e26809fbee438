/** What processes say, and what the kernel says of one and its children. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** @param {import('node:stream').Readable} output @returns {Promise<string>} */
export function firstLine(output) {
  return new Promise((resolve) => {
    createInterface({ input: output }).once('line', resolve);
  });
}

/** A process and its children. @param {number} root @returns {number[]} */
export function family(root) {
  /** @type {Map<number, number[]>} */
  const children = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(statOf(Number(name))[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all = [root];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

/** The fields of `/proc/PID/stat` behind the name; none where it is gone. @param {number} pid */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** Seconds of processor time, in all. @param {number} pid */
export function cpuOf(pid) {
  const ticks = family(pid).flatMap((one) => statOf(one).slice(11, 15).map(Number));
  return ticks.reduce((sum, tick) => sum + tick, 0) / 100;
}

/** KiB that no other process shares, and a part of those that others do. @param {number} pid */
export function memoryOf(pid) {
  return family(pid)
    .map((one) => Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'latin1'))?.[1] ?? 0))
    .reduce((sum, size) => sum + size, 0);
}

/** Descriptors that are open, and how many of them are sockets. @param {number} pid */
export function descriptorsOf(pid) {
  const links = family(pid).flatMap((one) =>
    readdirSync(`/proc/${one}/fd`).map((name) => {
      try {
        return readlinkSync(`/proc/${one}/fd/${name}`);
      } catch {
        return '';
      }
    }),
  );
  const open = links.filter((link) => link !== '');
  return { all: open.length, sockets: open.filter((link) => link.startsWith('socket:')).length };
}
