/** What V8 is told in a process that serves: it goes by what suits a program that runs once, and one that mostly waits. */
import { setFlagsFromString } from 'node:v8';

/**
 * By default V8 compiles a function for good after 3,000 calls, or after as much of its code as came to that on Node 20.
 * What runs a few times for each connection gets there after seconds of load, or never where connections are rare.
 *
 * Not before there is something to serve: of what a start runs as often, nearly nothing ever runs again.
 */
function compileEarly(): void {
  const [v8 = 0] = process.versions.v8.split('.').map(Number);
  setFlagsFromString(v8 >= 12 ? '--invocation-count-for-turbofan=500' : '--interrupt-budget=20000');
}

/**
 * The old generation may double before it is collected. By default V8 has it grow by as little as a tenth wherever it grows
 * slowly, and after each pause in which it gave memory back: what is left of short connections then has all of it marked
 * several times a second, catalogue and policy included.
 */
function collectSeldom(): void {
  setFlagsFromString('--heap-growing-percent=100');
}

/**
 * A place in the code that has met more than four kinds of objects finds out anew each time where they have their fields;
 * up to sixteen it remembers. `node:net` and `node:http` make more than four of sockets alone, by when each of them first
 * sets a timeout, carries a request or is asked for its peer: what had carried requests answered slower ever after.
 */
function rememberMoreKinds(): void {
  setFlagsFromString('--max-valid-polymorphic-map-count=16');
}

export function tuneForServing(): void {
  compileEarly();
  collectSeldom();
  rememberMoreKinds();
}
