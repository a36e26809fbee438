/** V8 settings for a process that serves. The defaults suit programs that run once, or that mostly wait. */
import { setFlagsFromString } from 'node:v8';

/**
 * By default V8 optimises a function after 3,000 calls, or on Node 20 after executing the equivalent amount of its
 * code. Code that runs a few times per connection gets there only after seconds of load, or never if connections are
 * rare.
 *
 * Set only when serving begins: what runs often during the start hardly ever runs again.
 */
function compileEarly(): void {
  const [v8 = 0] = process.versions.v8.split('.').map(Number);
  setFlagsFromString(v8 >= 12 ? '--invocation-count-for-turbofan=500' : '--interrupt-budget=20000');
}

/**
 * Lets the old generation double before it is collected. By default V8 lets it grow by as little as a tenth if it grows
 * slowly, and after each pause in which it released memory: the remains of short connections then cause everything,
 * catalogue and policy included, to be marked several times a second.
 */
function collectSeldom(): void {
  setFlagsFromString('--heap-growing-percent=100');
}

/**
 * By default a call site caches the layouts of four kinds of objects and looks fields up slowly for more; this raises
 * the limit to sixteen. `node:net` and `node:http` make more than four kinds of sockets, depending on when each first
 * sets a timeout, carries a request or is asked for its peer: sites that had seen requests stayed slower from then on.
 */
function rememberMoreKinds(): void {
  setFlagsFromString('--max-valid-polymorphic-map-count=16');
}

export function tuneForServing(): void {
  compileEarly();
  collectSeldom();
  rememberMoreKinds();
}
