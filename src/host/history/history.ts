import type { FileRules, PathRule } from '../../model/conflicts.ts'
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
  Writer,
} from '../../model/history.ts'
import type { ActId, RunId, SessionId } from '../../model/ids.ts'
import type { Who } from '../../model/tree.ts'

/**
 * The files of this machine's places through time: a temporal table in a SQLite file of this node (`files.db`) with
 * content by digest. It costs what changed (F6). Everything happens in one worker thread, place by place in order.
 * Every method takes the key of an opened place; what a key does not have is `not_found`, and nothing of one place
 * answers in another (B1). Digests are never accepted from outside.
 */
export interface History {
  /**
   * Takes a place under care. Safe to repeat; changed rules hold from the next capture on. The first time, its content
   * is imported in the background; an interrupted import goes on. Acts that a crash cut are finished or taken back
   * before this resolves (F4).
   */
  open(place: PlaceSpec): Promise<HistoryStatus>
  /** Resolves when the first import is done. */
  ready(key: string, signal: AbortSignal): Promise<void>
  status(key: string): Promise<HistoryStatus>
  /** Called when the status is another (`progress`), when hints come and when a snapshot was stored; the engine rings from it. */
  onNews(listener: (news: { key: string; what: 'progress' | 'outside' | 'snapshot' }) => void): () => void

  /** Looks at the place and stores what changed, as one snapshot; without a change there is none (`n` is the newest). */
  capture(key: string, look: Look): Promise<Captured>
  /** Puts a path's present content away before somebody writes it, where it is not there yet (import still on). */
  keepFirst(key: string, paths: readonly FilePath[]): Promise<void>

  /** Newest first, `n` below `before`. */
  snapshots(key: string, filter: SnapshotFilter): Promise<Snapshot[]>
  /** What differs between two snapshots, by path; `to` null is the newest. At most `limit` after `path`. */
  between(
    key: string,
    span: { from: number; to: number | null; after: FilePath | null; limit: number },
  ): Promise<Change[]>
  /** Every change by an author, oldest first; a path may come several times. */
  changesBy(
    key: string,
    by: { run: RunId } | { session: SessionId } | { act: ActId } | { n: number },
  ): Promise<Change[]>
  /** The changes of one path, newest first. */
  pathHistory(key: string, path: FilePath, page: { before: number | null; limit: number }): Promise<Change[]>
  /** What all places with these labels saw, newest first: who touched what, when. */
  changesIn(labels: Partial<PlaceLabels> & { workspace: string }, filter: ChangeFilter): Promise<PlacedChange[]>
  /** The path as it was at `n` (null: the newest snapshot); null where nothing was. */
  stateAt(key: string, path: FilePath, n: number | null): Promise<FileState | null>
  /** The bytes of a file, or the target of a link. @throws gone when its content is not kept, too_large over `maxBytes` */
  content(key: string, path: FilePath, n: number | null, maxBytes: number): Promise<Uint8Array>
  /** Two states of a path; `to` null is what is on the disk now. Hunks carry their authors. */
  diff(key: string, path: FilePath, span: { from: number; to: number | null }): Promise<FileDiff>
  /** What is not covered, with counts and bytes, largest first (F5). Walks what is ignored: may take a while. */
  gaps(key: string, limit: number): Promise<Gap[]>
  /** Why a path is not covered; null when it is. */
  gapAt(key: string, path: FilePath): Promise<Gap | null>
  /** A unified patch, as `git apply` takes it, of what differs between two snapshots. */
  patch(key: string, span: { from: number; to: number | null }): Promise<string>

  /** What would be done. Looks at the disk first (a capture), writes nothing. */
  plan(key: string, ask: PlanAsk): Promise<Plan>
  /** What the plan would do to one path, whatever hunks were chosen: their positions are what is chosen by. */
  planDiff(key: string, ask: PlanAsk, path: FilePath): Promise<FileDiff>
  /**
   * Does exactly what was planned, or nothing: plans again and compares digests. Every conflicts path must be named, in
   * `overwrite` or in `leave`; what a rule blocks can only be left. Journalled: after a kill -9 at any step the place is
   * fully before or fully after (F4). The snapshot before it is taken first, so that its undo is a plan like others.
   * @throws stale_plan when another plan would come out now; conflicts with the paths that were not named
   */
  applyPlan(key: string, ask: PlanAsk, how: ApplyPlan): Promise<Act>
  acts(key: string, page: { before: ActId | null; limit: number }): Promise<Act[]>

  pin(key: string, n: number, pinned: boolean): Promise<void>
  /** Snapshots of all places that sessions and places point at, as far as they are still there. */
  pointedAt(): Promise<Pointed[]>
  /** Thins old snapshots out and frees content that nothing points at, in small steps. */
  sweep(policy: Retention): Promise<Swept>
  /** Bytes by labels, for `carrel doctor`. Content shared by several counts where it was first. */
  usage(): Promise<{ labels: PlaceLabels; bytes: number; snapshots: number; files: number }[]>
  /** Forgets a place and all its history; the folder is not touched. */
  forget(key: string): Promise<void>
  close(): Promise<void>
}

export interface PlaceSpec {
  /** `space:<id>` or `project:<id>`. */
  readonly key: string
  readonly labels: PlaceLabels
  /** Where this process reads and writes the files. May differ from one start to the next. */
  readonly root: string
  readonly rules: FileRules
  /**
   * `tree`: all of it is imported. `layer`: a view over a frozen folder; only what `changed()` of its driver would name is
   * looked at, and what was there before comes from `lower`.
   */
  readonly scope: { readonly kind: 'tree' } | { readonly kind: 'layer'; readonly lower: string; readonly upper: string }
}

export interface Look {
  /**
   * `hints`: what the watcher and `paths` name; a walk where the watcher cannot be believed or a walk is as quick.
   * `everything`: a walk by lstat, once the first import is done. `imported`: a walk, or hints as long as the first
   * import goes on.
   */
  readonly at: 'hints' | 'imported' | 'everything'
  readonly paths: readonly FilePath[]
  readonly reason: SnapshotReason
  /** Runs at work since the last capture. */
  readonly writers: readonly Writer[]
  /** Nobody looked while this server was gone: people may have written as well as the runs. */
  readonly unwatched?: boolean | undefined
  /** Points that `changesBy` and `plan` know a run by: set also where nothing changed. */
  readonly mark?: { readonly run: RunId; readonly session: SessionId; readonly what: 'start' | 'end' } | undefined
  /** A plan is being carried out: what is found at these paths is its work, whoever else is at work here. */
  readonly act?: { readonly id: ActId; readonly by: Who; readonly paths: readonly FilePath[] } | undefined
  readonly now: number
}

export interface Captured {
  readonly n: number
  readonly counts: Counts
  /** At most 200 of the changes, by path. */
  readonly changes: readonly Change[]
  readonly gaps: number
  readonly leftOut: LeftOut
}

/** What rules or its size leave out, since the look before: seen for the first time, and gone from the disk for good. */
export interface LeftOut {
  readonly came: readonly FilePath[]
  readonly went: readonly FilePath[]
}

export interface SnapshotFilter {
  readonly before: number | null
  readonly limit: number
  readonly session?: SessionId | undefined
  readonly run?: RunId | undefined
  /** Only those that changed this path, or something below it. */
  readonly path?: FilePath | undefined
}

export interface ChangeFilter {
  readonly author?: Author['kind'] | undefined
  readonly session?: SessionId | undefined
  /** A path, or the beginning of one. */
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

/** A plan's question, with what only the engine knows. */
export interface PlanAsk {
  readonly request: PlanRequest
  readonly paths: readonly PathRule[]
  /** Runs at work in this place, and what they lately wrote or read. */
  readonly active: readonly { readonly run: RunId; readonly session: SessionId; readonly paths: readonly FilePath[] }[]
  /** For `apply`: the other place, the point its work began at, and the runs at work there. */
  readonly source?: { readonly key: string; readonly base: number; readonly writers: readonly Writer[] } | undefined
  readonly writers: readonly Writer[]
  readonly now: number
}

export interface ApplyPlan {
  /** Of the plan that was looked at. */
  readonly digest: string
  readonly overwrite: readonly FilePath[]
  readonly leave: readonly FilePath[]
  readonly act: ActId
  readonly by: Who
}

export interface Retention {
  readonly now: number
  /** Bytes a workspace may keep; null for no limit. */
  readonly maxBytes: number | null
  /** Snapshots younger than this all stay. ms. */
  readonly keepAllMs: number
  /** After that one an hour, for this long; then one a day. ms. */
  readonly keepHourlyMs: number
  /** Snapshots never taken away, by key: what live sessions and places point at. */
  readonly needed: ReadonlyMap<string, readonly number[]>
}

/** A snapshot that is a way back. */
export interface Pointed {
  readonly key: string
  readonly n: number
  /** Whose; null: the place's own, as long as it is there. */
  readonly session: SessionId | null
}

export interface Swept {
  readonly snapshots: number
  readonly bytes: number
  /** Workspaces that are still over their budget, and by how much. */
  readonly over: readonly { readonly workspace: string; readonly bytes: number }[]
}
