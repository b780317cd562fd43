import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Servers and agents that tests start share what Node made of the sources. */
const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/compiled', import.meta.url)) }
const postgres = ['test/support/postgres-setup.ts']

// Times are for a machine that does much else: they only matter when something is broken.
// Two workers: the suites start servers, databases and agents of their own, and two cores are what is promised to suffice.
export default defineConfig({
  test: {
    passWithNoTests: true,
    maxWorkers: 2,
    projects: [
      { test: { name: 'unit', env, include: ['src/**/*.test.ts', 'web/**/*.test.ts'], testTimeout: 30_000 } },
      {
        test: {
          name: 'house',
          include: ['test/*.test.ts', 'test/support/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'promises',
          env,
          include: ['test/promises/**/*.test.ts'],
          globalSetup: postgres,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'stories',
          env,
          include: ['test/stories/**/*.test.ts'],
          globalSetup: postgres,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'browser',
          env,
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'agents',
          env,
          include: ['test/agents/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
