import { describe, it, type TestContext } from 'vitest'
import type { Config } from '../../src/model/config.ts'
import type { World } from '../support/carrel-world.ts'
import { describeBoundary } from './carrel-boundary.ts'
import { describeBudgets } from './carrel-budgets.ts'
import { describeEnvironment } from './carrel-environment.ts'
import { describeExport } from './carrel-export.ts'
import { describeFailures } from './carrel-failures.ts'
import { describeFiles } from './carrel-files.ts'
import { describeQuestions } from './carrel-questions.ts'
import { describeQueue } from './carrel-queue.ts'
import { describeRuns } from './carrel-runs.ts'
import { describeSearch } from './carrel-search.ts'
import { describeSecrets } from './carrel-secrets.ts'
import { describeTree } from './carrel-tree.ts'

/** Opens a Carrel for one test, behind some face and on some store. `alone`: no other test may have the same one. */
export type OpenCarrel = (settings?: Partial<Config>, sharing?: { readonly alone?: boolean }) => Promise<World>

/** Registers a test, as `it` does. */
export type Case = (name: string, test: (context: TestContext) => Promise<void>) => void

/**
 * What Carrel promises whoever calls it, in process or from far away, on whichever store. `near` registers the tests of
 * what is decided behind the faces and above the stores: neither another face nor another store can break it.
 */
export function describeCarrel(name: string, open: OpenCarrel, near: Case = it): void {
  // Fifty runs and their processes take their time on a machine that is busy otherwise.
  describe(name, { timeout: 120_000 }, () => {
    describeRuns(open, near)
    describeFailures(open, near)
    describeQueue(open, near)
    describeQuestions(open, near)
    describeTree(open, near)
    describeSearch(open)
    describeFiles(open, near)
    describeSecrets(open, near)
    describeEnvironment(open, near)
    describeBudgets(open, near)
    describeExport(open)
    describeBoundary(open)
  })
}
