import { describe, it, type TestContext } from 'vitest'
import type { Config } from '../../src/model/settings/config.ts'
import type { World } from '../support/carrel-world.ts'
import { describeAfterwords } from './carrel-afterwords.ts'
import { describeBoundary } from './carrel-boundary.ts'
import { describeBudgets } from './carrel-budgets.ts'
import { describeCoverage } from './carrel-coverage.ts'
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

/** Opens a Carrel for one test, behind some face and on some store. `alone`: no other test may share it. */
export type OpenCarrel = (settings?: Partial<Config>, sharing?: { readonly alone?: boolean }) => Promise<World>

/** Registers a test, as `it` does. */
export type Case = (name: string, test: (context: TestContext) => Promise<void>) => void

/**
 * The contract of Carrel with its callers, in process or remote, on any store. `near` registers tests of decisions
 * behind the faces and above the stores: neither another face nor another store can break them.
 */
export function describeCarrel(name: string, open: OpenCarrel, near: Case = it): void {
  // Fifty runs and their processes take long on a busy machine.
  describe(name, { timeout: 120_000 }, () => {
    describeRuns(open, near)
    describeFailures(open, near)
    describeQueue(open, near)
    describeQuestions(open, near)
    describeAfterwords(open, near)
    describeTree(open, near)
    describeSearch(open)
    describeFiles(open, near)
    describeCoverage(open, near)
    describeSecrets(open, near)
    describeEnvironment(open, near)
    describeBudgets(open, near)
    describeExport(open)
    describeBoundary(open)
  })
}
