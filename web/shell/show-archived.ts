import { recall, remember } from '../data/memory.ts'
import { createCell } from '../ui/cell.ts'

/** Whether the rail lists what was archived. */
export const archivedShown = createCell(recall('archived') === 'shown')

export function toggleArchived(): void {
  const next = !archivedShown.get()
  archivedShown.set(next)
  remember('archived', next ? 'shown' : null)
}
