import { recall, remember } from '../data/memory.ts'
import { createCell } from '../ui/cell.ts'

/** By folder, or one under the other. Kept in this browser. */
export const fileOrder = createCell<'tree' | 'flat'>(recall('files.order') === 'flat' ? 'flat' : 'tree')

export function setFileOrder(order: 'tree' | 'flat'): void {
  fileOrder.set(order)
  remember('files.order', order)
}
