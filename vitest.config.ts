import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Servers and agents that tests start share what Node made of the sources. */
const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/compiled', import.meta.url)) }
/** Times are for a machine that does much else: they only matter when something is broken. */
const setupFiles = ['test/support/processor-time.ts']
const patient = {
  env,
  setupFiles,
  isolate: false,
  restoreMocks: true,
  unstubEnvs: true,
  testTimeout: 180_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000 } },
}
const globalSetup = ['test/support/postgres-setup.ts']
const oneByOne = { fileParallelism: false }

// Two workers: the suites start servers, databases and agents of their own, and two cores are what is promised to suffice.
export default defineConfig({
  test: {
    passWithNoTests: true,
    maxWorkers: 2,
    projects: [
      { test: { ...patient, name: 'unit', include: ['src/**/*.test.ts', 'web/**/*.test.ts'] } },
      { test: { ...patient, name: 'house', include: ['test/*.test.ts', 'test/support/**/*.test.ts'] } },
      { test: { ...patient, name: 'promises', globalSetup, include: ['test/promises/**/*.test.ts'] } },
      { test: { ...patient, name: 'stories', globalSetup, include: ['test/stories/**/*.test.ts'] } },
      { test: { ...patient, ...oneByOne, name: 'browser', include: ['test/browser/**/*.test.ts'] } },
      {
        // Dozens of agents at once take what processor there is, so they come by themselves, behind all else.
        test: {
          ...patient,
          ...oneByOne,
          name: 'crowds',
          include: ['test/crowds/**/*.test.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...patient,
          ...oneByOne,
          name: 'agents',
          include: ['test/agents/**/*.test.ts'],
          exclude: ['**/node_modules/**'],
        },
      },
    ],
  },
})
