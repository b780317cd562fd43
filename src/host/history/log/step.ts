import type { FilePath, FileState, PlanEntry } from '../../../model/files/history.ts'
import type { ActId } from '../../../model/ids.ts'
import type { Attributes } from '../../attributes.ts'
import { foldersAbove } from './paths.ts'
import { isFolder } from './versions.ts'

/** One path of an act, with everything that apply, crash recovery and rollback need. */
export interface ActStep {
  readonly path: FilePath
  readonly now: FileState | null
  readonly next: FileState | null
  /** Folder for the new and the earlier content until the act is over. Empty for the place itself. */
  readonly hold: FilePath
  /** Of a path that comes back, and of a folder that goes; nothing where the place's owner has it. */
  readonly attributes?: Attributes
  /** Temporary name of the new content; the earlier content has `.old` appended. */
  readonly name: string
}

/** Prefix of the temporary files of acts. Captures exclude such names. */
export const HELD_NAME = '.carrel-act_'

export function stepsOf(act: ActId, entries: readonly PlanEntry[]): ActStep[] {
  const unsteady = new Set(entries.filter(({ now, next }) => !isFolder(now) || !isFolder(next)).map(({ path }) => path))
  return entries.map(({ path, now, next }, at) => ({
    path,
    now,
    next,
    hold: foldersAbove(path).findLast((folder) => !unsteady.has(folder) && !below(folder, unsteady)) ?? '',
    name: `.carrel-${act}-${at}`,
  }))
}

const below = (folder: FilePath, unsteady: ReadonlySet<FilePath>): boolean =>
  foldersAbove(folder).some((one) => unsteady.has(one))

const isContent = (state: FileState | null): boolean => state !== null && !isFolder(state)

/** Whether only the permission bits change. */
const onlyMode = ({ now, next }: ActStep): boolean =>
  now !== null && now.kind === next?.kind && now.digest === next.digest

export const writesContent = (step: ActStep): boolean => isContent(step.next) && !onlyMode(step)

export type Kind = 'away' | 'unmake' | 'make' | 'put' | 'mode'

/**
 * Returns the moves in order: obstacles go first, folders from below; then folders come, from above; then their
 * content. Permissions come last, from below, because a folder may forbid earlier moves in it.
 */
export function movesOf(steps: readonly ActStep[]): { readonly kind: Kind; readonly step: ActStep }[] {
  const of = (kind: Kind, which: (step: ActStep) => boolean) => steps.filter(which).map((step) => ({ kind, step }))
  return [
    ...of('away', ({ now, next }) => isContent(now) && !isContent(next)),
    ...of('unmake', ({ now, next }) => isFolder(now) && !isFolder(next)).reverse(),
    ...of('make', ({ now, next }) => isFolder(next) && !isFolder(now)),
    ...of('put', writesContent),
    ...of('mode', (step) => isFolder(step.next) || onlyMode(step)).reverse(),
  ]
}
