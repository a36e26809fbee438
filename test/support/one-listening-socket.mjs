/**
 * Loaded before the product: has it take this Node.js for one whose workers share a listening socket, which Node.js hands
 * connections out of. Where each has its own, the kernel deals connections to a process that stands still, too.
 */
import process from 'node:process';

Object.defineProperty(process, 'version', { value: 'v20.19.0' });
