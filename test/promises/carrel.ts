import { describe } from 'vitest'
import type { Config } from '../../src/model/config.ts'
import type { World } from '../support/carrel-world.ts'
import { describeBoundary } from './carrel-boundary.ts'
import { describeBudgets } from './carrel-budgets.ts'
import { describeExport } from './carrel-export.ts'
import { describeFailures } from './carrel-failures.ts'
import { describeFiles } from './carrel-files.ts'
import { describeQuestions } from './carrel-questions.ts'
import { describeQueue } from './carrel-queue.ts'
import { describeRuns } from './carrel-runs.ts'
import { describeSearch } from './carrel-search.ts'
import { describeSecrets } from './carrel-secrets.ts'
import { describeSurroundings } from './carrel-surroundings.ts'
import { describeTree } from './carrel-tree.ts'

/** Opens a Carrel for one test, behind some face and on some store. */
export type OpenCarrel = (settings?: Partial<Config>) => Promise<World>

/** What Carrel promises whoever calls it, in process or from far away, on whichever store. */
export function describeCarrel(name: string, open: OpenCarrel): void {
  // Fifty runs and their processes take their time on a machine that is busy otherwise.
  describe(name, { timeout: 120_000 }, () => {
    describeRuns(open)
    describeFailures(open)
    describeQueue(open)
    describeQuestions(open)
    describeTree(open)
    describeSearch(open)
    describeFiles(open)
    describeSecrets(open)
    describeSurroundings(open)
    describeBudgets(open)
    describeExport(open)
    describeBoundary(open)
  })
}
