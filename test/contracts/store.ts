import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { itKeepsBoundaries } from './store-boundary.ts'
import { itKeepsEnvironment } from './store-environment.ts'
import { itKeepsFiles } from './store-files.ts'
import { itFolds } from './store-folds.ts'
import { itLeases } from './store-leases.ts'
import { itKeepsLogs } from './store-log.ts'
import { itKnowsMachines } from './store-machines.ts'
import { itRests } from './store-rest.ts'
import { itSearches } from './store-search.ts'
import { itKeepsTheTree } from './store-tree.ts'

/** A store to test, and a function that closes and removes it. */
export interface OpenedStore {
  readonly store: Store
  close(): Promise<void>
}

/** Opens an empty store, or returns the reason why there is none here. */
export type OpenStore = () => Promise<OpenedStore | { readonly skipped: string }>

/** Returns the store of the current test. */
export type CurrentStore = () => Store

/**
 * Registers the contract of a store, for every engine that claims to be one. Call it in a vitest file. Time is in the
 * arguments: no test waits for a clock.
 */
export function describeStore(name: string, open: OpenStore): void {
  describe(name, () => {
    let opened: Awaited<ReturnType<OpenStore>> | undefined
    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => {
      if (opened && 'store' in opened) await opened.close()
    })
    beforeEach(({ skip }) => {
      if (opened && 'skipped' in opened) skip(opened.skipped)
    })
    const current: CurrentStore = () => {
      if (opened && 'store' in opened) return opened.store
      throw new Error('no store is open')
    }
    itKeepsLogs(current)
    itLeases(current)
    itKnowsMachines(current)
    itFolds(current)
    itRests(current, open)
    itSearches(current)
    itKeepsTheTree(current)
    itKeepsFiles(current)
    itKeepsEnvironment(current)
    itKeepsBoundaries(current)
  })
}
