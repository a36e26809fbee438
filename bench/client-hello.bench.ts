/** What it costs to read the server name of a ClientHello, in one piece and in many. */
import { bench, describe } from 'vitest';
import { createClientHelloReader } from '../src/listen/client-hello.ts';
import { helloOfNode } from '../test/support/hellos.ts';

const hello = await helloOfNode({ servername: 'api.example.test', ALPNProtocols: ['h2', 'http/1.1'] });

describe(`a ClientHello of ${hello.length} bytes`, () => {
  bench('in one segment', () => {
    createClientHelloReader().push(hello);
  });
  bench('in segments of 100 bytes', () => {
    const reader = createClientHelloReader();
    for (let at = 0; at < hello.length; at += 100) reader.push(hello.subarray(at, at + 100));
  });
});
