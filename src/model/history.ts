import { z } from 'zod'
import { ActId, Millis, ProjectId, RunId, SessionId, type SpaceId } from './ids.ts'
import { Who } from './tree.ts'

/**
 * The files of a place through time. A place is a folder that is captured as a whole: the Space's own folder (shared
 * by its `direct` projects), or the worktree or overlay of one project.
 */

/**
 * A path relative to its place, with `/` between the parts and none at either end. A byte that is no part of valid
 * UTF-8 stands as the lone surrogate U+DC00 + byte, so that every name of the disk has exactly one text.
 */
export const FilePath = z
  .string()
  .min(1)
  .max(8_192)
  .refine(
    (path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'must be a path inside the place, without . and ..',
  )
  .refine((path) => !path.includes('\0'), 'must not hold a zero byte')
export type FilePath = string

/** What stands at a path at one moment. Links are never followed. */
export const FileState = z.object({
  kind: z.enum(['file', 'link', 'folder']),
  /** SHA-256 in hex: of the bytes of a file, of the target of a link; null for a folder. */
  digest: z.string().nullable(),
  /** Permission bits, 0 to 0o7777. Always 0o777 for links. */
  mode: z.number().int(),
  /** Bytes; 0 for folders. */
  size: z.number().int(),
})
export type FileState = z.infer<typeof FileState>

/** Two states that nobody could tell apart by looking; null is nothing there. */
export function sameState(a: FileState | null, b: FileState | null): boolean {
  if (a === null || b === null) return a === b
  return a.kind === b.kind && a.digest === b.digest && a.mode === b.mode
}

/** Whose work a change is. */
export const Author = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('run'), run: RunId, session: SessionId }),
  /** Nobody of Carrel's was at work: a person, or a program of theirs. */
  z.object({ kind: z.literal('outside') }),
  /** A restore, undo or apply that was carried out. */
  z.object({ kind: z.literal('act'), act: ActId, by: Who }),
  /** Several runs were at work and none named the path; these may have written it. */
  z.object({ kind: z.literal('unknown'), among: z.array(RunId) }),
])
export type Author = z.infer<typeof Author>

/** How sure the author is: see `attribute`. */
export const Certainty = z.enum(['sole', 'reported', 'overlapping', 'external'])
export type Certainty = z.infer<typeof Certainty>

/** A run at work in a place, and what it is known to have written there since the last capture. */
export interface Writer {
  readonly run: RunId
  readonly session: SessionId
  /** Paths that its tool calls named as written, or that went through Carrel's own file requests. */
  readonly named: readonly FilePath[]
}

/**
 * Whose a change is, between two captures: the one run at work (`sole`); of several, the only one that named the path
 * (`reported`); nobody in particular (`overlapping`); nobody of ours (`external`). `unwatched`: nobody looked for so long
 * that people may have written too; then a run has for its own only what it named.
 */
export function attribute(
  path: FilePath,
  writers: readonly Writer[],
  unwatched = false,
): { author: Author; certainty: Certainty } {
  const [first, ...more] = writers
  if (!first) return { author: { kind: 'outside' }, certainty: 'external' }
  const of = ({ run, session }: Writer): Author => ({ kind: 'run', run, session })
  if (more.length === 0 && !unwatched) return { author: of(first), certainty: 'sole' }
  const [only, ...others] = writers.filter(({ named }) => named.includes(path))
  if (only && others.length === 0) return { author: of(only), certainty: 'reported' }
  return { author: { kind: 'unknown', among: writers.map(({ run }) => run) }, certainty: 'overlapping' }
}

export const sameAuthor = (a: Author, b: Author): boolean =>
  a.kind === b.kind &&
  (a.kind !== 'run' || a.run === (b as typeof a).run) &&
  (a.kind !== 'act' || a.act === (b as typeof a).act) &&
  (a.kind !== 'unknown' || a.among.join() === (b as typeof a).among.join())

/** Why a snapshot was taken. */
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

/** The content of a place at one moment. A capture that finds no change makes none. */
export const Snapshot = z.object({
  /** 1, 2, 3 ... in its place. */
  n: z.number().int(),
  at: Millis,
  reason: SnapshotReason,
  /** Where all its changes have one author, that one. */
  author: Author.nullable(),
  counts: Counts,
  /** Kept for good by a person. */
  pinned: z.boolean(),
})
export type Snapshot = z.infer<typeof Snapshot>

/** One path's before and after between two snapshots. */
export const Change = z.object({
  path: FilePath,
  before: FileState.nullable(),
  after: FileState.nullable(),
  /** The snapshot that has it first, and when that was. */
  n: z.number().int(),
  at: Millis,
  author: Author,
  certainty: Certainty,
})
export type Change = z.infer<typeof Change>

/** What is not covered, and why (F5). */
export const Gap = z.object({
  path: FilePath,
  why: z.enum(['ignored', 'too_large', 'special', 'unreadable', 'unsteady', 'before_import']),
  /** Bytes where they are known; an ignored folder is not counted until somebody asks. */
  bytes: z.number().int().nullable(),
  /** Files in it, where it is a folder and they were counted. */
  files: z.number().int().nullable(),
})
export type Gap = z.infer<typeof Gap>

/** How far the history of a place is. */
export const HistoryStatus = z.object({
  state: z.enum(['importing', 'ready', 'missing', 'failed']),
  /** Of the first import; `total` is null while it is being counted. */
  progress: z.object({ done: z.number().int(), total: z.number().int().nullable() }).nullable(),
  /** The newest snapshot; 0 before the first. */
  n: z.number().int(),
  files: z.number().int(),
  snapshots: z.number().int(),
  /** What the history of this place alone would free. */
  bytes: z.number().int(),
  gaps: z.number().int(),
  watching: z.boolean(),
  problem: z.string().nullable(),
})
export type HistoryStatus = z.infer<typeof HistoryStatus>

/** Piece of a text that differs, in the numbering of unified diffs: lines count from 1. */
export const Hunk = z.object({
  oldStart: z.number().int(),
  oldLines: z.number().int(),
  newStart: z.number().int(),
  newLines: z.number().int(),
  /** Each begins with ' ', '-' or '+'; a last line without an end is followed by `\ No newline at end of file`. */
  lines: z.array(z.string()),
  /** Whose the new lines are, the newest author where there are several; null where only lines went or nobody asked. */
  author: Author.nullable(),
})
export type Hunk = z.infer<typeof Hunk>

/** Two states of a path side by side. */
export const FileDiff = z.object({
  path: FilePath,
  before: FileState.nullable(),
  after: FileState.nullable(),
  /** `text`: `hunks` say it. `binary`, `large` (over 1 MiB), `gone` (content not kept): only the states do. */
  content: z.enum(['text', 'binary', 'large', 'gone']),
  hunks: z.array(Hunk),
  /** The whole texts, for a view side by side; null unless `content` is `text`. */
  texts: z.object({ before: z.string(), after: z.string() }).nullable(),
})
export type FileDiff = z.infer<typeof FileDiff>

/** What a plan is asked to do. `paths`: only these, and what is below them. `hunks`: of a path only these of its plan's diff. */
const Selection = {
  paths: z.array(FilePath).max(10_000).optional(),
  hunks: z
    .array(z.object({ path: FilePath, indexes: z.array(z.number().int().min(0)) }))
    .max(1_000)
    .optional(),
}
export const PlanRequest = z.discriminatedUnion('kind', [
  /** Go back to how the place was at snapshot `to`. */
  z.object({ kind: z.literal('restore'), to: z.number().int().min(1), ...Selection }),
  /** Take back what somebody did, and keep what came after. */
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
  /** Bring what a project did in its own place to the Space's folder. */
  z.object({ kind: z.literal('apply'), from: ProjectId, ...Selection }),
])
export type PlanRequest = z.infer<typeof PlanRequest>

/** A reason not to write a path without being told to. */
export const Conflict = z.discriminatedUnion('kind', [
  /** The last author of what is there is somebody else, later than the point returned to. */
  z.object({ kind: z.literal('others_work'), by: Author, at: Millis }),
  /** Both sides changed the same lines: `hunks` of them. What is written if named is what was asked for, whole. */
  z.object({ kind: z.literal('merge_conflict'), hunks: z.number().int() }),
  /** Several may have written what would be undone. */
  z.object({ kind: z.literal('uncertain'), among: z.array(RunId) }),
  /** A rule of the Space. `block` cannot be overwritten by naming the path. */
  z.object({
    kind: z.literal('file_rule'),
    class: z.string(),
    action: z.enum(['confirm', 'block']),
    pattern: z.string(),
  }),
  /** A run at work wrote or read it lately. */
  z.object({ kind: z.literal('in_use'), run: RunId, session: SessionId }),
  /** What would be written is not kept, or the path is not covered. */
  z.object({ kind: z.literal('gap'), why: z.string() }),
])
export type Conflict = z.infer<typeof Conflict>

export const PlanEntry = z.object({
  path: FilePath,
  now: FileState.nullable(),
  next: FileState.nullable(),
  /** `merge`: `next` is a text merged from three, or put together from hunks that were chosen. */
  how: z.enum(['write', 'delete', 'merge']),
  /** Whose what is there now is; null where nothing is there or nobody knows. */
  author: Author.nullable(),
  /** Empty: written without being named. */
  conflicts: z.array(Conflict),
})
export type PlanEntry = z.infer<typeof PlanEntry>

/** What would be written where. Carried out exactly so, or not at all (F3). */
export const Plan = z.object({
  request: PlanRequest,
  /** Ordered by path. What is already as it should be is not among them. */
  entries: z.array(PlanEntry),
  /** What the plan cannot speak of. */
  gaps: z.array(Gap),
  /** Over request and entries: the same only for the same plan. Gaps that stand in its way are reasons of entries. */
  digest: z.string(),
})
export type Plan = z.infer<typeof Plan>

/** A plan that was carried out. Its undo is a plan like others. */
export const Act = z.object({
  id: ActId,
  request: PlanRequest,
  by: Who,
  at: Millis,
  /** The snapshot just before and the one just after; equal when nothing was written. */
  before: z.number().int(),
  after: z.number().int(),
  written: z.array(FilePath),
  /** Conflict paths that stay as they are, as was asked for. */
  left: z.array(FilePath),
  /** Others whose bytes were taken, and where. */
  taken: z.array(z.object({ author: Author, paths: z.array(FilePath) })),
  /** Of an apply: the snapshot of the other place that was applied. */
  applied: z.number().int().nullable(),
})
export type Act = z.infer<typeof Act>

/** Where a place belongs, for lists and budgets. Digests and numbers of one place never answer in another (B1). */
export interface PlaceLabels {
  readonly workspace: string
  readonly space: SpaceId
  /** Null for the Space's own folder. */
  readonly project: ProjectId | null
}
