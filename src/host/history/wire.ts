import type { Problem } from '../../model/errors.ts'
import type { History } from './history.ts'

/** Messages between the callers and the thread that owns the history. */

/** Methods that can be called by name: each has one request and one answer. */
export type HistoryMethod = Exclude<keyof History, 'onNews' | 'clock' | 'aliveBefore' | 'close'>

export interface WorkerOptions {
  readonly folder: string
  readonly now: number
}

export type ToWorker =
  | { readonly id: number; readonly ask: HistoryMethod; readonly args: readonly unknown[] }
  /** The caller no longer waits. */
  | { readonly cancel: number }
  | { readonly close: true }

export type FromWorker =
  | { readonly ready: true; readonly problem: string | null }
  | { readonly failed: Problem }
  | { readonly id: number; readonly result?: unknown; readonly problem?: Problem }
  | { readonly news: { readonly key: string; readonly what: 'progress' | 'outside' | 'snapshot' } }
