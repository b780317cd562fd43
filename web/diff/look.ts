import { recall, remember } from '../data/memory.ts'
import { createCell } from '../ui/cell.ts'

/** The diff layout of this browser. */
export interface DiffLook {
  readonly view: 'unified' | 'split'
  readonly wrap: boolean
}

function read(): DiffLook {
  const [view, wrap] = (recall('diff') ?? '').split(' ')
  return { view: view === 'split' ? 'split' : 'unified', wrap: wrap !== 'nowrap' }
}

export const diffLook = createCell<DiffLook>(read())

export function setDiffLook(change: Partial<DiffLook>): void {
  const next = { ...diffLook.get(), ...change }
  diffLook.set(next)
  remember('diff', `${next.view} ${next.wrap ? 'wrap' : 'nowrap'}`)
}
