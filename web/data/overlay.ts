import type { PlanRequest } from '../../src/model/files/history.ts'
import type { TreeNoun } from '../texts/words/nouns.ts'
import { createCell } from '../ui/cell.ts'

/** The overlay of the page. There is at most one. */
export type Overlay =
  | { readonly kind: 'palette' | 'keys' | 'settings' | 'rules' | 'inbox' | 'unpause' }
  | { readonly kind: 'rename' | 'delete'; readonly noun: TreeNoun; readonly id: string; readonly name: string }
  | { readonly kind: 'secrets' | 'environment'; readonly space?: string }
  | { readonly kind: 'given'; readonly run: string }
  | { readonly kind: 'project' | 'file-rules'; readonly space: string; readonly name: string }
  | {
      readonly kind: 'plan'
      readonly project: string
      readonly request: PlanRequest
      readonly title: string
      /** The session whose conversation may be forked at the same point. */
      readonly session?: string
    }
  | { readonly kind: 'gaps'; readonly project: string; readonly space: string; readonly n: number }
  | { readonly kind: 'place-remove' | 'place-branch'; readonly project: string; readonly name: string }

export const overlay = createCell<Overlay | null>(null)

export const closeOverlay = (): void => overlay.set(null)
