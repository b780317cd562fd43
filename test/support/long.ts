import { it, type TestContext } from 'vitest'

/** Registers a test that `npm test` leaves out; docs/testing.md lists the reasons. */
export const inLongRuns = (name: string, test: (context: TestContext) => Promise<void>): void =>
  it(name, { tags: ['long'] }, test)
