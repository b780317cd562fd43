import type { FilePath, FileState, PlanEntry } from '../../model/history.ts'
import type { ActId } from '../../model/ids.ts'
import { foldersAbove } from './paths.ts'
import { isFolder } from './versions.ts'

/** One path of an act: all that carrying it out, finishing it after a crash and taking it back need to know. */
export interface Step {
  readonly path: FilePath
  readonly now: FileState | null
  readonly next: FileState | null
  /** The folder that holds its new content, and what was there, until the act is over. Empty: the place itself. */
  readonly hold: FilePath
  /** Under which name; what was there has `.old` behind it. */
  readonly name: string
}

/** What acts put beside files while they are at work. Captures leave such names out. */
export const HELD_NAME = '.carrel-act_'

export function stepsOf(act: ActId, entries: readonly PlanEntry[]): Step[] {
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

/** Only its permission bits change. */
export const onlyMode = ({ now, next }: Step): boolean =>
  now !== null && now.kind === next?.kind && now.digest === next.digest

export const bringsContent = (step: Step): boolean => isContent(step.next) && !onlyMode(step)

export type Kind = 'away' | 'unmake' | 'make' | 'put' | 'mode'

/**
 * The order of deeds: what stands in the way goes first, folders from below; then folders come, from above; then what
 * lies in them; permissions last, from below, because a folder may forbid what was still to be done in it.
 */
export function movesOf(steps: readonly Step[]): { readonly kind: Kind; readonly step: Step }[] {
  const of = (kind: Kind, which: (step: Step) => boolean) => steps.filter(which).map((step) => ({ kind, step }))
  return [
    ...of('away', ({ now, next }) => isContent(now) && !isContent(next)),
    ...of('unmake', ({ now, next }) => isFolder(now) && !isFolder(next)).reverse(),
    ...of('make', ({ now, next }) => isFolder(next) && !isFolder(now)),
    ...of('put', bringsContent),
    ...of('mode', (step) => isFolder(step.next) || onlyMode(step)).reverse(),
  ]
}
