import type { Problem } from '../../model/errors.ts'
import type { History } from './history.ts'

/** What crosses between those who ask and the thread that owns the history. */

/** What may be asked for by name: every method of the history that is one question and one answer. */
export type Asked = Exclude<keyof History, 'onNews' | 'close'>

export interface WorkerOptions {
  readonly folder: string
  readonly now: number
}

export type ToWorker =
  | { readonly id: number; readonly ask: Asked; readonly args: readonly unknown[] }
  /** Whoever asked no longer waits. */
  | { readonly cancel: number }
  | { readonly close: true }

export type FromWorker =
  | { readonly ready: true; readonly problem: string | null }
  | { readonly failed: Problem }
  | { readonly id: number; readonly result?: unknown; readonly problem?: Problem }
  | { readonly news: { readonly key: string; readonly what: 'progress' | 'outside' | 'snapshot' } }
