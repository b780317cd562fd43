import type { Writer } from '../../model/files/authorship.ts'
import type { FileRules, PathRule, PlanDecisions } from '../../model/files/conflicts.ts'
import type {
  Act,
  Author,
  Change,
  Counts,
  FileDiff,
  FilePath,
  FileState,
  Gap,
  HistoryStatus,
  PlaceLabels,
  Plan,
  PlanRequest,
  Snapshot,
  SnapshotReason,
} from '../../model/files/history.ts'
import type { ActId, RunId, SessionId } from '../../model/ids.ts'
import type { Who } from '../../model/tree.ts'

/**
 * History of the files of this machine's places: a temporal table in a SQLite file of this node (`files.db`), with
 * content by digest. Cost grows with the changes (F6). One worker thread does all work, serially for each place. Every
 * method takes the key of an open place. An unknown item is `not_found`, and no data of one place appears in another
 * (B1). Digests from outside are never accepted.
 */
export interface History {
  /**
   * Starts the history of a place. Safe to repeat; changed rules apply from the next capture on. The first call imports
   * the content in the background; an interrupted import continues. Acts that a crash interrupted are finished or
   * rolled back before this resolves (F4). Another folder at the path is `missing`, unless it is a copy of the known
   * one: its differences are then recorded as made by people.
   */
  open(place: PlaceSpec): Promise<HistoryStatus>
  /** Goes on with the folder that stands at the path now. Known files that it lacks count as deleted by people. */
  accept(key: string): Promise<HistoryStatus>
  /** Resolves when the first import is done. */
  ready(key: string, signal: AbortSignal): Promise<void>
  status(key: string): Promise<HistoryStatus>
  /** Listens for a changed status (`progress`), hints (`outside`) and stored snapshots. */
  onNews(listener: (news: { key: string; what: 'progress' | 'outside' | 'snapshot' }) => void): () => void
  /**
   * Reads the clock that stamps files, ms. Each reading also leaves a sign of life on the disk: the next server finds in
   * `aliveBefore` when the last one was read.
   */
  clock(): number
  /** Last sign of life of the server before this one, by the same clock. 0: there was none. */
  readonly aliveBefore: number

  /** Scans the place and stores its changes as one snapshot. Without a change there is none, and `n` is the newest. */
  capture(key: string, scan: ScanRequest): Promise<Captured>
  /** Stores the present content of paths before a write, while the first import is still running. */
  keepFirst(key: string, paths: readonly FilePath[]): Promise<void>

  /** Newest first, `n` below `before`. */
  snapshots(key: string, filter: SnapshotQuery): Promise<Snapshot[]>
  /** Differences of two snapshots by path; `to` null is the newest. At most `limit` after `path`. */
  between(
    key: string,
    span: { from: number; to: number | null; after: FilePath | null; limit: number },
  ): Promise<Change[]>
  /** Every change by an author, oldest first; a path may occur several times. */
  changesBy(
    key: string,
    by: { run: RunId } | { session: SessionId } | { act: ActId } | { n: number },
  ): Promise<Change[]>
  /** Changes of one path, newest first. */
  pathHistory(key: string, path: FilePath, page: { before: number | null; limit: number }): Promise<Change[]>
  /** Changes in all places with these labels, newest first, with author and time. */
  changesIn(labels: Partial<PlaceLabels> & { workspace: string }, filter: ChangeFilter): Promise<PlacedChange[]>
  /** State of the path at `n` (null: the newest snapshot); null when nothing was there. */
  stateAt(key: string, path: FilePath, n: number | null): Promise<FileState | null>
  /** Bytes of a file, or a link's target. @throws gone when it is not kept, too_large over `maxBytes` */
  content(key: string, path: FilePath, n: number | null, maxBytes: number): Promise<Uint8Array>
  /** Compares two states of a path; `to` null is the present state on disk. Hunks carry their authors. */
  diff(key: string, path: FilePath, span: { from: number; to: number | null }): Promise<FileDiff>
  /** Paths that are not covered, with counts and bytes, largest first (F5). Walking ignored folders takes time. */
  gaps(key: string, limit: number): Promise<Gap[]>
  /** Returns why a path is not covered; null when it is. */
  gapAt(key: string, path: FilePath): Promise<Gap | null>
  /** Differences of two snapshots as a unified patch for `git apply`. */
  patch(key: string, span: { from: number; to: number | null }): Promise<string>

  /** Plans a request without writing. Captures the place first. */
  plan(key: string, ask: PlanAsk): Promise<Plan>
  /** Returns the effect of the plan on one path, with all hunks: a selection names hunks by their position. */
  planDiff(key: string, ask: PlanAsk, path: FilePath): Promise<FileDiff>
  /**
   * Applies a plan atomically: plans again and compares digests. Every conflicts path must be named in `overwrite` or
   * `leave`; a path that a rule blocks can only be left. The act is journalled: after a kill -9 at any step the place
   * is fully before or fully after (F4). A snapshot is taken first, so the act can be undone by a plan.
   * @throws stale_plan when the plan would differ now; conflicts with the paths that were not named
   */
  applyPlan(key: string, ask: PlanAsk, how: ApplyPlan): Promise<Act>
  acts(key: string, page: { before: ActId | null; limit: number }): Promise<Act[]>

  pin(key: string, n: number, pinned: boolean): Promise<void>
  /** Existing snapshots that sessions and places point at, in all places. */
  pointedAt(): Promise<Pointed[]>
  /** Thins out old snapshots and frees content without references, in small steps. */
  sweep(policy: Retention): Promise<SweepResult>
  /** Bytes by labels, for `carrel doctor`. Shared content counts for its first place. */
  usage(): Promise<{ labels: PlaceLabels; bytes: number; snapshots: number; files: number }[]>
  /** Forgets a place and its whole history; the folder is not touched. */
  forget(key: string): Promise<void>
  close(): Promise<void>
}

export interface PlaceSpec {
  /** `space:<id>` or `project:<id>`. */
  readonly key: string
  readonly labels: PlaceLabels
  /** Folder in which this process reads and writes the files. May change between starts. */
  readonly root: string
  readonly rules: FileRules
  /** `tree`: the whole folder. `layer`: a view over `lower`; only paths that its upper folder names are scanned. */
  /** Reads the history only: nothing is scanned, watched or imported, and a cut act stays cut. */
  readonly frozen?: boolean
  readonly scope: { readonly kind: 'tree' } | { readonly kind: 'layer'; readonly lower: string; readonly upper: string }
}

export interface ScanRequest {
  /**
   * `hints`: the paths of the watcher and `paths`; a walk where the watcher is not reliable or a walk is as quick.
   * `everything`: a walk by lstat, after the first import. `imported`: a walk, or hints during the first import.
   */
  readonly at: 'hints' | 'imported' | 'everything'
  readonly paths: readonly FilePath[]
  readonly reason: SnapshotReason
  /** Runs that may have written since the last capture. */
  readonly writers: readonly Writer[]
  /** Marks the start or end of a run for `changesBy` and `plan`, also without a change. */
  readonly mark?: { readonly run: RunId; readonly session: SessionId; readonly what: 'start' | 'end' } | undefined
  /** Set while a plan is applied: changes of these paths belong to the act, whatever else is at work here. */
  readonly act?: { readonly id: ActId; readonly by: Who; readonly paths: readonly FilePath[] } | undefined
  readonly now: number
}

export interface Captured {
  readonly n: number
  readonly counts: Counts
  /** At most 200 of the changes, by path. */
  readonly changes: readonly Change[]
  readonly gaps: number
  readonly leftOut: LeftOutPaths
  /** Whether a file was seen in mid-write: it is not recorded, and another scan should follow. */
  readonly unsettled: boolean
}

/** Paths that rules or limits exclude, and what became of them since the scan before. */
export interface LeftOutPaths {
  /** New on the disk. */
  readonly came: readonly FilePath[]
  /** Deleted from the disk. */
  readonly went: readonly FilePath[]
  /** In the history from now on. Their earlier content is not known. */
  readonly entered: readonly FilePath[]
  /** In the history until now. */
  readonly left: readonly FilePath[]
}

export interface SnapshotQuery {
  readonly before: number | null
  readonly limit: number
  readonly session?: SessionId | undefined
  readonly run?: RunId | undefined
  /** Selects snapshots that changed this path, or a path below it. */
  readonly path?: FilePath | undefined
}

export interface ChangeFilter {
  readonly author?: Author['kind'] | undefined
  readonly session?: SessionId | undefined
  /** Path, or its beginning. */
  readonly path?: string | undefined
  /** Opaque; from the last row of the page before. */
  readonly cursor: string | null
  readonly limit: number
}

export interface PlacedChange {
  readonly key: string
  readonly labels: PlaceLabels
  readonly change: Change
  readonly cursor: string
}

/** Request for a plan, with facts that only the engine knows. */
export interface PlanAsk {
  readonly request: PlanRequest
  readonly paths: readonly PathRule[]
  /** Runs at work in this place, and the paths that they recently wrote or read. */
  readonly active: readonly { readonly run: RunId; readonly session: SessionId; readonly paths: readonly FilePath[] }[]
  /** For `apply`: the source place, the snapshot where its work began, and the runs at work there. */
  readonly source?: { readonly key: string; readonly base: number; readonly writers: readonly Writer[] } | undefined
  readonly writers: readonly Writer[]
  readonly now: number
}

export interface ApplyPlan extends PlanDecisions {
  /** Digest of the plan that a person reviewed. */
  readonly digest: string
  readonly act: ActId
  readonly by: Who
}

export interface Retention {
  readonly now: number
  /** Bytes that a workspace may keep; null for no limit. */
  readonly maxBytes: number | null
  /** All snapshots younger than this stay. ms. */
  readonly keepAllMs: number
  /** After that one snapshot an hour stays for this long, then one a day. ms. */
  readonly keepHourlyMs: number
  /** Snapshots that are never removed, by key: live sessions and places point at them. */
  readonly needed: ReadonlyMap<string, readonly number[]>
}

/** Snapshot that a restore or undo needs. */
export interface Pointed {
  readonly key: string
  readonly n: number
  /** Session that points at it; null for the place itself, as long as it exists. */
  readonly session: SessionId | null
}

export interface SweepResult {
  readonly snapshots: number
  readonly bytes: number
  /** Workspaces that are still over their budget, and by how many bytes. */
  readonly over: readonly { readonly workspace: string; readonly bytes: number }[]
}
