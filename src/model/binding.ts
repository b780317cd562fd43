import { z } from 'zod'
import { CarrelError } from './errors.ts'
import { Millis } from './ids.ts'
import type { Machine } from './machine.ts'

/** Identity of a data folder on this machine. Numbers of 64 bits are texts. */
export const FolderIdentity = z.object({
  path: z.string(),
  /** Id of the machine; null where it has none, as in many containers. */
  machine: z.string().nullable(),
  device: z.string(),
  inode: z.string(),
  /** Time of the folder's creation, ns since 1970; null where the file system does not know it. */
  born: z.string().nullable(),
})
export type FolderIdentity = z.infer<typeof FolderIdentity>

/**
 * Reason why a data folder is paused: it is one of two with the same sessions, and nobody has decided which goes on.
 * `restored`: from a backup. `copied`: the folder is a copy. `database`: the embedded database alone is a copy.
 * `replaced`: another one goes on instead of this one.
 */
export const Pause = z.object({
  why: z.enum(['restored', 'copied', 'database', 'replaced']),
  /** Path of the other data folder, as of then; for `database` the name of its machine. */
  other: z.string(),
  /** Time of the backup or of the decision; null for a copied folder. */
  at: Millis.nullable(),
})
export type Pause = z.infer<typeof Pause>

/** The note in a data folder that binds it to its disk and machine. A copy of the folder has the same note. */
export const BindingNote = z.object({
  format: z.literal(1),
  /** Null until somebody has decided about a restored folder. */
  bound: FolderIdentity.nullable(),
  pause: Pause.nullable(),
  /** The pause that a person ended, and when. */
  ended: Pause.extend({ endedAt: Millis }).nullable(),
})
export type BindingNote = z.infer<typeof BindingNote>

/** Returns the reason why a data folder with this note is paused; null for none. A folder without a note is new. */
export function pauseOf(note: BindingNote | null, here: FolderIdentity): Pause | null {
  if (note?.pause) return note.pause
  if (!note?.bound || isSameFolder(note.bound, here)) return null
  return { why: 'copied', other: note.bound.path, at: null }
}

/**
 * Tells whether a folder is the one of the note. A renamed folder keeps device and inode. The device alone may change,
 * at a restart of the machine or a mount, so then the path has to be the same. An inode is used again after a deletion,
 * so the time of creation must not differ.
 */
function isSameFolder(bound: FolderIdentity, here: FolderIdentity): boolean {
  const differ = (a: string | null, b: string | null) => a !== null && b !== null && a !== b
  if (differ(bound.machine, here.machine) || differ(bound.born, here.born)) return false
  return bound.inode === here.inode && (bound.device === here.device || bound.path === here.path)
}

/** The machines that an embedded database knows: only one of them ever uses it. @returns null for none, and for this one */
export function pauseOfDatabase(known: readonly Pick<Machine, 'id' | 'name'>[], here: string): Pause | null {
  const [other] = known
  return other && known.every(({ id }) => id !== here) ? { why: 'database', other: other.name, at: null } : null
}

/** Amounts of work that wait in a paused data folder. */
export const WaitingWork = z.object({
  prompts: z.number().int(),
  /** Runs that were at work, or waited for a person. */
  runs: z.number().int(),
  questions: z.number().int(),
})
export type WaitingWork = z.infer<typeof WaitingWork>

/** Says why a data folder is paused, as one sentence. */
export function pauseText({ why, other, at }: Pause): string {
  const time = at === null ? '' : `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  if (why === 'restored') return `This data folder was restored from a backup of ${other}, made ${time}.`
  if (why === 'copied') return `This data folder is a copy of ${other}.`
  if (why === 'database') return `The database was copied from another data folder, of the machine ${other}.`
  return `The data folder ${other} goes on instead of this one, since ${time}.`
}

/** The refusal of everything that is not reading. `shown`: whether the caller may see paths of this machine. */
export function pausedError(pause: Pause, shown: boolean): CarrelError {
  const why = shown ? `${pauseText(pause)} ` : ''
  const message = `${why}Carrel is paused here, so that no work is done twice. Stop the other one, then run \`carrel unpause\`.`
  return new CarrelError('paused', message, { why: pause.why })
}

/** Returns the true reason for the end or parking of a run that began before a person ended a pause; else null. */
export function cutByPause({ ended }: BindingNote, begun: number): string | null {
  if (ended === null || ended.why === 'replaced' || begun >= ended.endedAt) return null
  if (ended.why === 'restored') return 'The data folder was restored from a backup that was made during the run.'
  return `The ${ended.why === 'database' ? 'database' : 'data folder'} was copied during the run.`
}
