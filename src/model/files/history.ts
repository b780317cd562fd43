import { z } from 'zod'
import { ActId, Millis, ProjectId, RunId, SessionId, type SpaceId } from '../ids.ts'
import { Who } from '../tree.ts'

/**
 * File history of a place. A place is a folder that is captured as a whole: the Space's own folder (shared by its
 * `direct` projects), or the worktree or overlay of one project.
 */

/**
 * Path relative to its place, with `/` between the parts and none at either end. A byte of invalid UTF-8 becomes the
 * lone surrogate U+DC00 + byte, so that every file name on disk has exactly one text.
 */
export const FilePath = z
  .string()
  .min(1)
  .max(8_192)
  .refine(
    (path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'must be a path inside the working copy, without . and ..',
  )
  .refine((path) => !path.includes('\0'), 'must not hold a zero byte')
  .describe('Path of a file, relative to the working copy.')
export type FilePath = string

/** State of one path at one moment. Symbolic links are never followed. */
export const FileState = z.object({
  kind: z.enum(['file', 'link', 'folder']),
  /** SHA-256 in hex, of a file's bytes or a link's target; null for a folder and for content that was not covered. */
  digest: z.string().nullable(),
  /** Permission bits, 0 to 0o7777. Always 0o777 for links. */
  mode: z.number().int(),
  /** Bytes; 0 for folders. */
  size: z.number().int(),
  /** True when the history did not cover the path then: something may have been there, its content is not known. */
  uncovered: z.literal(true).optional(),
})
export type FileState = z.infer<typeof FileState>

/** Whether two states have equal kind, content, mode and coverage; null means that nothing exists there. */
export function sameState(a: FileState | null, b: FileState | null): boolean {
  if (a === null || b === null) return a === b
  return a.kind === b.kind && a.digest === b.digest && a.mode === b.mode && a.uncovered === b.uncovered
}

export const Author = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run'), run: RunId, session: SessionId }),
  /** No run was at work: a person or a program outside Carrel made the change. */
  z.object({ kind: z.literal('outside') }),
  /** A restore, undo or apply. */
  z.object({ kind: z.literal('act'), act: ActId, by: Who }),
  /** One of these runs may have written it, or somebody else. The certainty says why that is unknown. */
  z.object({ kind: z.literal('unknown'), among: z.array(RunId) }),
])
export type Author = z.infer<typeof Author>

/** Certainty of the author: see `attribute` in `authorship.ts`. */
export const Certainty = z.enum(['sole', 'reported', 'overlapping', 'unwatched', 'external'])
export type Certainty = z.infer<typeof Certainty>

export const sameAuthor = (a: Author, b: Author): boolean =>
  a.kind === b.kind &&
  (a.kind !== 'run' || a.run === (b as typeof a).run) &&
  (a.kind !== 'act' || a.act === (b as typeof a).act) &&
  (a.kind !== 'unknown' || a.among.join() === (b as typeof a).among.join())

export const SnapshotReason = z.enum([
  'opened',
  'run_start',
  'tool',
  'run_end',
  'outside',
  'before_act',
  'act',
  'asked',
])
export type SnapshotReason = z.infer<typeof SnapshotReason>

export const Counts = z.object({ created: z.number().int(), modified: z.number().int(), deleted: z.number().int() })
export type Counts = z.infer<typeof Counts>

/** Content of a place at one moment. A capture without changes creates no snapshot. */
export const Snapshot = z.object({
  /** Number within its place: 1, 2, 3 and so on. */
  n: z.number().int(),
  at: Millis,
  reason: SnapshotReason,
  /** The common author of all its changes; null for several. */
  author: Author.nullable(),
  counts: Counts,
  /** Pinned by a person: never removed. */
  pinned: z.boolean(),
})
export type Snapshot = z.infer<typeof Snapshot>

export const Change = z.object({
  path: FilePath,
  before: FileState.nullable(),
  after: FileState.nullable(),
  /** First snapshot with the change, and its time (`at`). */
  n: z.number().int(),
  at: Millis,
  author: Author,
  certainty: Certainty,
})
export type Change = z.infer<typeof Change>

/** Path that the history does not track, with the reason (F5). */
export const Gap = z.object({
  path: FilePath,
  why: z.enum(['ignored', 'too_large', 'special', 'unreadable', 'unsteady', 'before_import']),
  /** Size in bytes; null when unknown. An ignored folder is counted only on request. */
  bytes: z.number().int().nullable(),
  /** Number of files in a counted folder; else null. */
  files: z.number().int().nullable(),
})
export type Gap = z.infer<typeof Gap>

export const HistoryStatus = z.object({
  state: z.enum(['importing', 'ready', 'missing', 'failed']),
  /** Progress of the first import; `total` is null while files are being counted. */
  progress: z.object({ done: z.number().int(), total: z.number().int().nullable() }).nullable(),
  /** Newest snapshot; 0 before the first. */
  n: z.number().int(),
  files: z.number().int(),
  snapshots: z.number().int(),
  /** Bytes that deleting this history would free. */
  bytes: z.number().int(),
  gaps: z.number().int(),
  watching: z.boolean(),
  problem: z.string().nullable(),
})
export type HistoryStatus = z.infer<typeof HistoryStatus>

/** Hunk of a text diff, numbered as in unified diffs: lines count from 1. */
export const Hunk = z.object({
  oldStart: z.number().int(),
  oldLines: z.number().int(),
  newStart: z.number().int(),
  newLines: z.number().int(),
  /** Lines with the prefix ' ', '-' or '+'. `\ No newline at end of file` follows a last line without a line end. */
  lines: z.array(z.string()),
  /** Newest author of the added lines; null when only lines were removed or authors were not requested. */
  author: Author.nullable(),
})
export type Hunk = z.infer<typeof Hunk>

export const FileDiff = z.object({
  path: FilePath,
  before: FileState.nullable(),
  after: FileState.nullable(),
  /** `text`: see `hunks`. `binary`, `large` (over 1 MiB), `gone` (content not kept): only the states differ. */
  content: z.enum(['text', 'binary', 'large', 'gone']),
  hunks: z.array(Hunk),
  /** Full texts for a side-by-side view; null unless `content` is `text`. */
  texts: z.object({ before: z.string(), after: z.string() }).nullable(),
})
export type FileDiff = z.infer<typeof FileDiff>

/** Optional selection of a plan. `paths`: only these and everything below them. `hunks`: only these hunks of a path's diff. */
const Selection = {
  paths: z.array(FilePath).max(10_000).optional(),
  hunks: z
    .array(z.object({ path: FilePath, indexes: z.array(z.number().int().min(0)) }))
    .max(1_000)
    .optional(),
}
export const PlanRequest = z.discriminatedUnion('kind', [
  /** Restores the place to snapshot `to`. */
  z.object({ kind: z.literal('restore'), to: z.number().int().min(1), ...Selection }),
  /** Undoes the changes of a run, session, snapshot or act, and keeps later changes. */
  z.object({
    kind: z.literal('undo'),
    of: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('run'), run: RunId }),
      z.object({ kind: z.literal('session'), session: SessionId }),
      z.object({ kind: z.literal('snapshot'), n: z.number().int().min(1) }),
      z.object({ kind: z.literal('act'), act: ActId }),
    ]),
    ...Selection,
  }),
  /** Applies the changes of a project's own place to the Space's folder. */
  z.object({ kind: z.literal('apply'), from: ProjectId, ...Selection }),
])
export type PlanRequest = z.infer<typeof PlanRequest>

export const Conflict = z.discriminatedUnion('kind', [
  /** Conflict: another author changed the path after the state to restore. */
  z.object({ kind: z.literal('others_work'), by: Author, at: Millis }),
  /** Merge conflict: both sides changed the same lines in `hunks` hunks. Overwriting writes the requested version whole. */
  z.object({ kind: z.literal('merge_conflict'), hunks: z.number().int() }),
  /** One of these runs wrote the content to undo, or somebody else while a run waited; who did is unknown. */
  z.object({ kind: z.literal('uncertain'), among: z.array(RunId) }),
  /** The content to undo was written while no server looked: by one of these runs, or by somebody else. */
  z.object({ kind: z.literal('unwatched'), among: z.array(RunId) }),
  /** A file rule of the Space. Naming the path does not override `block`. */
  z.object({
    kind: z.literal('file_rule'),
    class: z.string(),
    action: z.enum(['confirm', 'block']),
    pattern: z.string(),
  }),
  /** An active run recently wrote or read the path. */
  z.object({ kind: z.literal('in_use'), run: RunId, session: SessionId }),
  /** The content to write is not kept, or the history does not track the path. */
  z.object({ kind: z.literal('gap'), why: z.string() }),
  /** The content came from outside of the history, and may exist nowhere else. */
  z.object({ kind: z.literal('only_copy') }),
])
export type Conflict = z.infer<typeof Conflict>

export const PlanEntry = z.object({
  path: FilePath,
  now: FileState.nullable(),
  next: FileState.nullable(),
  /** `merge`: `next` is a three-way merge, or consists of selected hunks. */
  how: z.enum(['write', 'delete', 'merge']),
  /** Author of the present content; null when nothing is there or the author is unknown. */
  author: Author.nullable(),
  /** Reasons for confirmation; empty when the path needs none. */
  conflicts: z.array(Conflict),
})
export type PlanEntry = z.infer<typeof PlanEntry>

/** Planned writes. A plan is applied atomically: exactly as shown, or not at all (F3). */
export const Plan = z.object({
  request: PlanRequest,
  /** Sorted by path. Paths already in the wanted state are not listed. */
  entries: z.array(PlanEntry),
  /** Paths that the history does not track now, or did not track then. The plan does not touch them. */
  gaps: z.array(Gap),
  /** Digest of request and entries: equal only for equal plans. A gap that blocks an entry is a reason of that entry. */
  digest: z.string(),
})
export type Plan = z.infer<typeof Plan>

/** An applied plan. Undoing an act is a plan as well. */
export const Act = z.object({
  id: ActId,
  request: PlanRequest,
  by: Who,
  at: Millis,
  /** Snapshots before and after the act; equal when nothing was written. */
  before: z.number().int(),
  after: z.number().int(),
  written: z.array(FilePath),
  /** Paths that needed confirmation and were left unchanged by request. */
  left: z.array(FilePath),
  /** Other authors whose work was overwritten, with the paths. */
  taken: z.array(z.object({ author: Author, paths: z.array(FilePath) })),
  /** Sentences that say what written files could not keep, such as an owner or a hard link; nothing for none. */
  notices: z.array(z.string()).optional(),
  /** Applied snapshot of the project's place; null unless the act is an apply. */
  applied: z.number().int().nullable(),
})
export type Act = z.infer<typeof Act>

/** Owner of a place, for lists and budgets. Digests and snapshot numbers of one place never resolve in another (B1). */
export interface PlaceLabels {
  readonly workspace: string
  readonly space: SpaceId
  /** Null for the Space's own folder. */
  readonly project: ProjectId | null
}
