import type { PlanRequest } from '../../src/model/history.ts'
import { createCell } from '../ui/cell.ts'
import type { Noun } from './noun.ts'

/** What lies over the page. One at a time. */
export type Overlay =
  | { readonly kind: 'palette' | 'keys' | 'settings' | 'rules' | 'inbox' }
  | { readonly kind: 'rename' | 'delete'; readonly noun: Noun; readonly id: string; readonly name: string }
  | { readonly kind: 'secrets' | 'environment'; readonly space?: string }
  | { readonly kind: 'given'; readonly run: string }
  | { readonly kind: 'project' | 'file-rules'; readonly space: string; readonly name: string }
  | {
      readonly kind: 'plan'
      readonly project: string
      readonly request: PlanRequest
      readonly title: string
      /** Whose talk may go back with the files. */
      readonly session?: string
    }
  | { readonly kind: 'gaps'; readonly project: string; readonly space: string; readonly n: number }
  | { readonly kind: 'place-remove' | 'place-branch'; readonly project: string; readonly name: string }

export const overlay = createCell<Overlay | null>(null)

export const closeOverlay = (): void => overlay.set(null)
