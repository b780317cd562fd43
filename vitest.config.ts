import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const common = {
  // Servers and agents that tests start share what Node compiled.
  env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/compiled', import.meta.url)) },
  setupFiles: ['test/support/setup.ts'],
  globalSetup: ['test/support/build-setup.ts'],
  // Loading the engine takes longer than most tests: the files of a worker share what they import.
  isolate: false,
  // Engines that come and go make much young garbage: with room for it, collecting it takes a tenth less of all.
  execArgv: ['--min-semi-space-size=32', '--max-semi-space-size=64'],
  restoreMocks: true,
  unstubEnvs: true,
  // Times are for a machine that does much else: they only matter when something is broken.
  testTimeout: 180_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 60_000 } },
}
const withPostgres = { globalSetup: [...common.globalSetup, 'test/support/postgres-setup.ts'] }

/** Projects of one order run at the same time. */
const project = (name: string, include: string[], more: object = {}) => ({
  test: { ...common, name, include, exclude: ['**/node_modules/**'], ...more },
})

// Two workers: the suites start servers, databases and agents of their own, and two cores are what is promised to suffice.
export default defineConfig({
  test: {
    passWithNoTests: true,
    maxWorkers: 2,
    tags: [{ name: 'long', description: 'runs in `npm run test:long` only; docs/testing.md says why' }],
    projects: [
      project('unit', ['src/**/*.test.ts', 'scripted-agent/**/*.test.ts', 'web/**/*.test.ts']),
      project('house', ['test/*.test.ts', 'test/support/**/*.test.ts']),
      project('contracts', ['test/contracts/**/*.test.ts'], withPostgres),
      project('e2e', ['test/e2e/**/*.test.ts'], withPostgres),
      project('browser', ['test/browser/**/*.test.ts']),
      // Dozens of agents at once take what processor there is, so they come by themselves, behind all else.
      project('load', ['test/load/**/*.test.ts'], { maxWorkers: 1, sequence: { groupOrder: 1 } }),
      project('fuzz', ['test/fuzz/**/*.test.ts'], { maxWorkers: 1, sequence: { groupOrder: 3 } }),
      project('agents', ['test/agents/*.test.ts'], { maxWorkers: 1, sequence: { groupOrder: 2 } }),
    ],
  },
})
