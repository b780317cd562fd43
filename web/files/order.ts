import { recall, remember } from '../data/memory.ts'
import { createCell } from '../ui/cell.ts'

/** The order of changed paths: by folder or as a list. This browser alone stores it. */
export const fileOrder = createCell<'tree' | 'flat'>(recall('files.order') === 'flat' ? 'flat' : 'tree')

export function setFileOrder(order: 'tree' | 'flat'): void {
  fileOrder.set(order)
  remember('files.order', order)
}
