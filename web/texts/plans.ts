import type { PlanRequest } from '../../src/model/files/history.ts'
import { count } from './format.ts'

type PlanTexts = Record<PlanRequest['kind'], string>

/** Restore, undo and apply: the plan, its conflicts, and its result. */
export const plans = {
  looking: 'Preparing the plan…',
  nothing: {
    restore: 'The files already match that snapshot. There is nothing to write.',
    undo: 'There is nothing left to undo.',
    apply: 'The folder already has all changes. There is nothing to write.',
  } satisfies PlanTexts,
  sum: (writes: number, merges: number, asks: number) =>
    [
      writes > 0 && `${count(writes, 'file')} ready`,
      merges > 0 && `${merges} merged`,
      asks > 0 && `${count(asks, 'file needs', 'files need')} a decision`,
    ]
      .filter(Boolean)
      .join(', '),
  groups: {
    asks: 'Needs a decision',
    asksNote: 'A conflict or a file rule is in the way. Nothing is written until you decide each one.',
    unwatched: 'Written while no server looked',
    unwatchedNote: 'The server had ended: the run may have gone on, or somebody else wrote these. Decide once for all.',
    merges: 'Merged',
    mergesNote: 'Both sides changed different lines. Both changes are kept.',
    writes: 'Ready',
    gaps: 'Not tracked',
    gapsNote: 'These paths will not be touched.',
  },
  how: { write: 'changed', create: 'restored', delete: 'removed', merge: 'merged' },
  stays: 'not changed',
  /** For an apply. */
  howApply: { write: 'changed', create: 'created', delete: 'removed', merge: 'merged' },
  now: 'Current author',
  take: (path: string) => `Include ${path}`,
  choice: { label: (path: string) => `Decision for ${path}`, overwrite: 'Overwrite', leave: 'Leave unchanged' },
  allOf: 'For all of these:',
  overwriteAll: 'Overwrite all',
  leaveAll: 'Leave all',
  showDiff: (path: string) => `Show changes in ${path}`,
  reasons: {
    taken: (author: string, when: string, running: boolean) =>
      `Conflict: last written by ${author} at ${when}${running ? ', running now' : ''}.`,
    conflict: (hunks: number) =>
      `Merge conflict: both sides changed the same lines in ${count(hunks, 'place')}. Overwriting discards the other side.`,
    uncertain: (runs: number) =>
      runs === 1
        ? 'Conflict: written while the run waited, by it or by somebody else.'
        : `Conflict: written by one of ${count(runs, 'run')}; which one is unknown.`,
    unwatched: 'Written while no server looked, by the run or by somebody else.',
    confirm: (pathClass: string, pattern: string) => `Needs confirmation: ${pattern} has class ${pathClass}.`,
    block: (pathClass: string, pattern: string) => `Blocked by a file rule: ${pattern} has class ${pathClass}.`,
    inUse: (author: string) => `Conflict: ${author} is working on it now.`,
    gap: (why: string) => `Carrel cannot write it: ${why}.`,
    onlyCopy: 'Only copy: this content came from outside of the history, and may exist nowhere else.',
  },
  left: (n: number) => `${count(n, 'file')} undecided`,
  act: { restore: 'Restore', undo: 'Undo', apply: 'Apply' } satisfies PlanTexts,
  acting: { restore: 'Restoring…', undo: 'Undoing…', apply: 'Applying…' } satisfies PlanTexts,
  actCount: (verb: string, files: number) => `${verb} ${count(files, 'file')}`,
  notWritten: 'Nothing was written.',
  stale: {
    title: 'The files changed in the meantime. Nothing was written; this is the new plan.',
    added: (paths: readonly string[]) => `New in the plan: ${paths.join(', ')}`,
    gone: (paths: readonly string[]) => `No longer in the plan: ${paths.join(', ')}`,
    changed: (paths: readonly string[]) => `Changed in the plan: ${paths.join(', ')}`,
  },
  busy: 'Files are being written here, or a run is active. Nothing was written; try again when it has ended.',
  busyAgain: 'Try again',
  done: {
    title: { restore: 'Restored', undo: 'Undone', apply: 'Applied' } satisfies PlanTexts,
    written: (n: number) => (n === 0 ? 'Nothing was written.' : `${count(n, 'file')} written.`),
    left: (n: number) => `${count(n, 'file')} left unchanged.`,
    taken: (author: string, n: number) =>
      `Overwrote ${count(n, 'file')} last written by ${author}, as its log records.`,
    writtenList: 'Written',
    leftList: 'Left unchanged',
    undo: 'Undo…',
    undoTitle: { restore: 'Undo a restore', undo: 'Undo an undo', apply: 'Undo an apply' } satisfies PlanTexts,
  },
  talk: {
    note: 'The conversation is not changed. To continue it from that point, fork it into a new session.',
    act: 'Fork conversation',
    notBegun: 'This session started after that snapshot, so there is nothing to fork.',
  },
  more: (n: number) => `Show ${n} more`,
  hunk: 'Include this change',
  apply: {
    title: (project: string, space: string) => `Apply ${project} to ${space}`,
    button: 'Apply…',
    buttonNote: (space: string) => `Write the changes of this project to the folder of ${space}`,
    noTarget: 'No project of this Space works in the folder itself, so Apply has no target. Create one first.',
  },
} as const
