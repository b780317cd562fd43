import { stat } from 'node:fs/promises'
import type { History } from '../../host/history/history.ts'
import { NOTHING_OUTSIDE, type Place, type PlaceRecord, type Places } from '../../host/places/place.ts'
import { CarrelError } from '../../model/errors.ts'
import type { FileRules } from '../../model/files/conflicts.ts'
import { DEFAULT_FILE_RULES } from '../../model/files/file-rules.ts'
import { fileTrouble } from '../../model/files/file-trouble.ts'
import type { HistoryStatus } from '../../model/files/history.ts'
import type { SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { Project, Space } from '../../model/tree.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import type { Store } from '../../store/store.ts'
import type { DataPause } from '../data-pause.ts'

export interface OpenedPlace {
  /** The key of its history: `space:<id>`, which `direct` projects share, or `project:<id>`. */
  readonly key: string
  readonly project: Project
  readonly place: Place
}

export interface ProjectPlaces {
  /** Opens the place of a project, and never another folder instead (F8). @throws gone, with the next step */
  open(project: Project): Promise<OpenedPlace>
  /** Has the history follow the place. Finishes or undoes acts that a crash interrupted (F4). Safe to repeat. */
  follow(opened: OpenedPlace): Promise<HistoryStatus>
  rules(workspace: WorkspaceId, space: SpaceId): Promise<FileRules>
  /** The places that the history of this node follows, by key. */
  readonly followed: ReadonlyMap<string, OpenedPlace>
  /** Drops places whose rules or files changed. Their next use opens them again. */
  forget(which: { readonly space: SpaceId } | { readonly key: string }): void
}

interface Parts {
  readonly store: Store
  readonly history: () => Promise<History>
  readonly places: () => Promise<Places>
  readonly pause: Pick<DataPause, 'reason'>
  /** Called once for each place that is followed, before its first use. */
  readonly onFollowed: (opened: OpenedPlace, history: History) => Promise<void>
}

interface Placed extends Pick<Project, 'id' | 'space'> {
  readonly place: Pick<Project['place'], 'kind'>
}

export const placeKey = ({ id, space, place }: Placed): string =>
  place.kind === 'direct' ? `space:${space}` : `project:${id}`

export function createProjectPlaces({ store, history, places, pause, onFollowed }: Parts): ProjectPlaces {
  const followed = new Map<string, OpenedPlace>()
  const following = new Map<string, { root: string; rules: string; frozen: boolean; task: Promise<void> }>()

  const rules: ProjectPlaces['rules'] = async (workspace, space) => {
    const changed = (await store.tree.fileRules(workspace, space)) as Partial<FileRules> | null
    return { ...DEFAULT_FILE_RULES, ...changed }
  }

  const begin = async (opened: OpenedPlace, current: FileRules, frozen: boolean): Promise<void> => {
    const { key, place, project } = opened
    const { workspace, space } = project
    const owner = place.kind === 'direct' ? null : project.id
    const scope = place.layer ? ({ kind: 'layer', ...place.layer } as const) : ({ kind: 'tree' } as const)
    const opening = await history()
    const labels = { workspace, space, project: owner }
    await opening.open({ key, labels, root: place.root, rules: current, scope, frozen })
    followed.set(key, opened)
    if (!frozen) await onFollowed(opened, opening)
  }

  return {
    async open(project) {
      const opened = { key: placeKey(project), project }
      if (pause.reason) return { ...opened, place: unopened(project) }
      if (project.place.kind === 'direct') return { ...opened, place: await directPlace(store, project) }
      const record = await recordOf(store, project)
      return { ...opened, place: await (await places()).open(record) }
    },
    async follow(opened) {
      const { key, place, project } = opened
      const current = await rules(project.workspace, project.space)
      const text = JSON.stringify(current)
      const frozen = pause.reason !== null
      const known = following.get(key)
      if (!known || known.root !== place.root || known.rules !== text || known.frozen !== frozen) {
        const task = begin(opened, current, frozen)
        following.set(key, { root: place.root, rules: text, frozen, task })
        task.catch(() => following.delete(key))
      }
      await following.get(key)?.task
      return await (await history()).status(key)
    },
    rules,
    followed,
    forget(which) {
      for (const [key, { project }] of followed) {
        if ('key' in which ? key !== which.key : project.space !== which.space) continue
        following.delete(key)
        followed.delete(key)
      }
    },
  }
}

async function directPlace(store: Store, { workspace, space: id }: Project): Promise<Place> {
  const space = (await store.tree.space(workspace, id)) as Space
  const folder = await absentAsNull(stat(space.folder)).catch((thrown) => {
    throw fileTrouble(`The folder ${space.folder} cannot be opened.`, thrown)
  })
  if (!folder?.isDirectory()) {
    const message = `The folder ${space.folder} does not exist. Restore it and prompt again, or create a Space for its new location.`
    throw new CarrelError('gone', message)
  }
  return plainPlace('direct', 'the folder itself', space.folder)
}

/** Returns the place of a project whose files are not opened: only its history is read. */
export function unopened({ place: { kind, driver, path } }: Pick<Project, 'place'>): Place {
  return plainPlace(kind, driver ?? '', path)
}

/** Returns a place without a mount namespace of its own. */
function plainPlace(kind: Place['kind'], driver: string, path: string): Place {
  return { kind, driver, path, root: path, enter: [], namespace: null, layer: null, outside: NOTHING_OUTSIDE }
}

/** Returns the record by which the host opens a place. @throws unavailable while it is created, gone without it (F8) */
export async function recordOf(store: Store, { id, workspace, name, place }: Project): Promise<PlaceRecord> {
  if (place.state === 'making')
    throw new CarrelError(
      'unavailable',
      `The working copy of ${name} is being created: ${place.note ?? 'wait a moment'}.`,
    )
  if (place.state === 'failed')
    throw new CarrelError(
      'gone',
      `The working copy of ${name} could not be created: ${place.note} Create another project.`,
    )
  const record = place.state === 'ready' ? await store.tree.placeRecord(workspace, id) : null
  // The host of this node wrote the record, in any version: it refuses itself a record that it cannot open.
  if (record !== null) return record as PlaceRecord
  const message = `The working copy of ${name} was removed. Its history is kept: see \`carrel history\`. Create another project to continue.`
  throw new CarrelError('gone', message)
}
