import { defineConfig } from 'vitest/config';

/** They say how soon something acts, which holds where nobody else takes the processor. */
const alone = [
  'test/flows/exceptions.test.ts',
  'test/flows/reload.test.ts',
  'test/flows/reload-settling.test.ts',
  'test/security/vanishing-peers.test.ts',
];

export default defineConfig({
  test: {
    // The default is one less than there are, of which a machine with two would use one. Much of a test is waiting.
    maxWorkers: '100%',
    // These end what hangs, and no more: what a test says of time it measures itself.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    globalSetup: 'test/support/catalogue-once.ts',
    projects: [
      { extends: true, test: { name: 'together', include: ['test/**/*.test.ts'], exclude: alone } },
      { extends: true, test: { name: 'alone', include: alone, fileParallelism: false, benchmark: { include: [] } } },
    ],
  },
});
