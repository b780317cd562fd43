import type { Change, FilePath, FileState, Gap, Snapshot } from '../../model/history.ts'
import type { ActId, RunId, SessionId } from '../../model/ids.ts'
import type { Captured, Look } from './history.ts'

/**
 * The history of one opened place, inside the worker: what plans and acts are made from. Reading is synchronous and
 * sees the last capture; only looking at the disk takes time. One thing at a time happens to a place.
 */
export interface Book {
  readonly key: string
  /** Where the files are, without a slash at the end. */
  readonly root: string
  /** The newest snapshot; 0 before the first. */
  readonly newest: number
  capture(look: Look): Promise<Captured>
  snapshot(n: number): Snapshot | null
  stateAt(path: FilePath, n: number): FileState | null
  /** Paths at or below `path` that stood at `n`, in order. */
  below(path: FilePath, n: number): FilePath[]
  /** Two snapshots side by side; a path once, with its last author between them. Ordered by path. */
  between(from: number, to: number): Change[]
  /** Every change by an author, oldest first; a path may come several times. With those of unknown author that it may have made. */
  changesBy(by: { run: RunId } | { session: SessionId } | { act: ActId } | { n: number }): Change[]
  /** All changes of a path up to now, oldest first. */
  changesOf(path: FilePath): Change[]
  lastChange(path: FilePath): Change | null
  /** Bytes of a file or target of a link; null when they are not kept. */
  bytes(state: FileState): Buffer | null
  /** Whether `bytes` would have them: nothing is read. */
  kept(state: FileState): boolean
  /** Keeps content, on disk before it returns. Returns its digest. */
  put(bytes: Uint8Array): string
  /** Why a path is not covered; null when it is. */
  gapAt(path: FilePath): Gap | null
  /** What the last looks found uncovered, by path. */
  gaps(): Gap[]
}
