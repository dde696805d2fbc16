import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    // Training tests use worker threads of their own; more test files at once than cores only slows them.
    maxWorkers: 2,
  },
});
