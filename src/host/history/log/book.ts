import type { Change, FilePath, FileState, Gap, Snapshot } from '../../../model/files/history.ts'
import type { ActId, RunId, SessionId } from '../../../model/ids.ts'
import type { Attributes } from '../../attributes.ts'
import type { HeldFolder } from '../../root-folder.ts'
import type { Captured, ScanRequest } from '../history.ts'
import type { NotedChange } from './query.ts'

/** Text that an ignore file will have; null for none, undefined for that on disk. */
export type PlannedIgnores = (path: FilePath) => string | null | undefined

/**
 * History of one open place inside the worker; plans and acts are made from it. Reads are synchronous and see the last
 * capture; only a scan of the disk takes time. Operations on a place are serial.
 */
export interface Book {
  readonly key: string
  /** Folder of the files, without a trailing slash. */
  readonly root: string
  /** Holds that folder, so that an act stays in it. @throws gone when it is missing or was replaced */
  holdRoot(): HeldFolder
  /** Newest snapshot; 0 before the first. */
  readonly newest: number
  capture(scan: ScanRequest): Promise<Captured>
  snapshot(n: number): Snapshot | null
  stateAt(path: FilePath, n: number): FileState | null
  /** Paths at or below `path` that existed at `n`, in order. */
  below(path: FilePath, n: number): FilePath[]
  /** Differences of two snapshots, ordered by path; each path once, with its last author in between. */
  between(from: number, to: number): Change[]
  /** The same, with paths that left the history or came back in between. */
  betweenWithCoverage(from: number, to: number): Change[]
  /** Changes and coverage by an author, oldest first, also of unknown authors that it may be. A path may occur twice. */
  changesBy(
    by: { run: RunId } | { session: SessionId } | { act: ActId } | { n: number } | { since: number },
  ): NotedChange[]
  /** All changes of a path so far, and of its coverage, oldest first. */
  changesOf(path: FilePath): NotedChange[]
  lastChange(path: FilePath): Change | null
  /** Returns the bytes of a file or the target of a link; null when they are not kept. */
  bytes(state: FileState): Buffer | null
  /** Whether `bytes` would return content. Reads nothing. */
  kept(state: FileState): boolean
  /** Stores content durably and returns its digest. */
  put(bytes: Uint8Array): string
  /** Returns the last seen owner, group and extended attributes; null for a path with none of its own. */
  attributesOf(path: FilePath): Attributes | null
  /** Returns why a path is not covered; null when it is. */
  gapAt(path: FilePath): Gap | null
  /** Returns why rules will exclude a new state of a path, with ignore files as planned; null for a covered one. */
  excludes(
    planned: PlannedIgnores,
  ): (path: FilePath, now: FileState | null, next: FileState | null) => Gap['why'] | null
  /** Returns the gaps of the last scans, by path. */
  gaps(): Gap[]
}
