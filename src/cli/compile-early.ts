/** When V8 compiles, in a process that serves. */
import { setFlagsFromString } from 'node:v8';

/**
 * By default V8 compiles a function for good after 3,000 calls, or after as much of its code as came to that on Node 20.
 * What runs a few times for each connection gets there after seconds of load, or never where connections are rare.
 *
 * Not before there is something to serve: of what a start runs as often, nearly nothing ever runs again.
 */
export function compileEarly(): void {
  const [v8 = 0] = process.versions.v8.split('.').map(Number);
  setFlagsFromString(v8 >= 12 ? '--invocation-count-for-turbofan=500' : '--interrupt-budget=20000');
}
