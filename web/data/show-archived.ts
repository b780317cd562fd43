import { createCell } from '../ui/cell.ts'
import { recall, remember } from './memory.ts'

/** Whether the sidebar lists archived items. */
export const archivedShown = createCell(recall('archived') === 'shown')

export function toggleArchived(): void {
  const next = !archivedShown.get()
  archivedShown.set(next)
  remember('archived', next ? 'shown' : null)
}
