import type { PlanRequest } from '../../src/model/history.ts'
import { count } from '../ui/format.ts'

/** Restore, undo and apply: what would be written, whose it is, and what came of it. */
export const plans = {
  looking: 'Looking what would be written ...',
  nothing: {
    restore: 'The files are already as they were in that snapshot. There is nothing to write.',
    undo: 'Nothing of it is left to take back.',
    apply: 'The folder already has all of it. There is nothing to write.',
  } satisfies Record<PlanRequest['kind'], string>,
  sum: (writes: number, merges: number, asks: number) =>
    [
      writes > 0 && `${count(writes, 'file')} as ${writes === 1 ? 'it is' : 'they are'}`,
      merges > 0 && `${merges} merged`,
      asks > 0 && `${count(asks, 'file needs', 'files need')} your word`,
    ]
      .filter(Boolean)
      .join(', '),
  groups: {
    asks: 'Needs your word',
    asksNote: 'Somebody else’s work or a rule is in the way. Nothing is written until you have said it for each.',
    merges: 'Merged',
    mergesNote: 'Changed on both sides, in different lines: both stay.',
    writes: 'Goes as it is',
    gaps: 'Not covered',
    gapsNote: 'This cannot speak of these: they stay as they are.',
  },
  how: { write: 'is changed', create: 'comes back', delete: 'is removed', merge: 'is merged' },
  stays: 'stays',
  /** For an apply. */
  howApply: { write: 'is changed', create: 'is created', delete: 'is removed', merge: 'is merged' },
  now: 'Now by',
  take: (path: string) => `Take along: ${path}`,
  choice: { label: (path: string) => `What happens to ${path}`, overwrite: 'Overwrite', leave: 'Leave as it is' },
  allOf: 'For all that can be:',
  overwriteAll: 'Overwrite all',
  leaveAll: 'Leave all',
  showDiff: (path: string) => `Show what would change in ${path}`,
  reasons: {
    taken: (author: string, when: string, running: boolean) =>
      `Last written by ${author}, ${when}${running ? ', running now' : ''}.`,
    conflict: (hunks: number) =>
      `Both sides changed the same lines, at ${count(hunks, 'place')}. Overwriting takes this side whole.`,
    uncertain: (runs: number) => `One of ${count(runs, 'run')} wrote it, and nobody knows which.`,
    confirm: (pathClass: string, pattern: string) => `A rule wants your word: ${pattern} is of class ${pathClass}.`,
    block: (pathClass: string, pattern: string) =>
      `A rule forbids it: ${pattern} is of class ${pathClass}. It stays as it is.`,
    inUse: (author: string) => `${author} works on it now.`,
    gap: (why: string) => `What would be written is not kept: ${why}.`,
  },
  left: (n: number) => `${count(n, 'file')} still without your word`,
  act: { restore: 'Restore', undo: 'Undo', apply: 'Apply' } satisfies Record<PlanRequest['kind'], string>,
  acting: { restore: 'Restoring ...', undo: 'Undoing ...', apply: 'Applying ...' } satisfies Record<
    PlanRequest['kind'],
    string
  >,
  actCount: (verb: string, files: number) => `${verb} ${count(files, 'file')}`,
  notWritten: 'Nothing was written.',
  stale: {
    title: 'The files changed while you looked. Nothing was written; this is what would be written now.',
    added: (paths: readonly string[]) => `New in the plan: ${paths.join(', ')}`,
    gone: (paths: readonly string[]) => `Not in the plan any more: ${paths.join(', ')}`,
    changed: (paths: readonly string[]) => `Different now: ${paths.join(', ')}`,
  },
  busy: 'Somebody else writes files here at this moment, or a run is on that must end first. Nothing was written.',
  busyAgain: 'Look again',
  done: {
    title: { restore: 'Restored', undo: 'Undone', apply: 'Applied' } satisfies Record<PlanRequest['kind'], string>,
    written: (n: number) => (n === 0 ? 'Nothing was written.' : `${count(n, 'file')} written.`),
    left: (n: number) => `${count(n, 'file')} left as ${n === 1 ? 'it was' : 'they were'}.`,
    taken: (author: string, n: number) =>
      `${count(n, 'file')} of them had last been written by ${author}; their log says so.`,
    writtenList: 'Written',
    leftList: 'Left',
    undo: 'Undo this ...',
    undoTitle: { restore: 'Undo a restore', undo: 'Undo an undo', apply: 'Undo an apply' } satisfies Record<
      PlanRequest['kind'],
      string
    >,
  },
  talk: {
    note: 'The conversation goes on as it is. It can go back, too: as a new session that ends where this one was then.',
    act: 'Fork the conversation there',
    notBegun: 'This session had not begun at that snapshot, so there is nothing to fork.',
  },
  more: (n: number) => `Show ${n} more`,
  hunk: 'Take this part',
  apply: {
    title: (project: string, space: string) => `Apply ${project} to ${space}`,
    button: 'Apply ...',
    buttonNote: (space: string) => `Bring what this project changed to the folder of ${space}`,
    noTarget: 'The Space has no project that works in its own folder, so there is nothing to apply to. Make one first.',
  },
} as const
