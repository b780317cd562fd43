import { stat } from 'node:fs/promises'
import type { History } from '../../host/history/history.ts'
import { NOTHING_OUTSIDE, type Place, type PlaceRecord, type Places } from '../../host/places/place.ts'
import type { FileRules } from '../../model/conflicts.ts'
import { CarrelError } from '../../model/errors.ts'
import { DEFAULT_FILE_RULES } from '../../model/file-rules.ts'
import { fileTrouble } from '../../model/file-trouble.ts'
import type { HistoryStatus } from '../../model/history.ts'
import type { SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { Project, Space } from '../../model/tree.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import type { Store } from '../../store/store.ts'

/** A project's place, ready for use. */
export interface OpenedPlace {
  /** Of its history: `space:<id>`, which `direct` projects share, or `project:<id>`. */
  readonly key: string
  readonly project: Project
  readonly place: Place
}

/** Opens the places of projects, and puts them under the care of the history. */
export interface PlaceCare {
  /** @throws gone with what to do; never another folder in its stead (F8) */
  open(project: Project): Promise<OpenedPlace>
  /** Takes it under care; acts that a crash cut are finished or taken back before this resolves (F4). */
  follow(opened: OpenedPlace): Promise<HistoryStatus>
  /** What of a Space's files is covered and guarded. */
  rules(workspace: WorkspaceId, space: SpaceId): Promise<FileRules>
  /** What is followed here, by key. */
  readonly followed: ReadonlyMap<string, OpenedPlace>
  /** The next use of a place opens it anew: its rules or its files are others now. */
  forget(which: { readonly space: SpaceId } | { readonly key: string }): void
}

interface Parts {
  readonly store: Store
  readonly history: () => Promise<History>
  readonly places: () => Promise<Places>
  /** Called once for each place that is taken under care, before anybody uses it. */
  readonly onFollowed: (opened: OpenedPlace, history: History) => Promise<void>
}

interface Whose extends Pick<Project, 'id' | 'space'> {
  readonly place: Pick<Project['place'], 'kind'>
}

export const placeKey = ({ id, space, place }: Whose): string =>
  place.kind === 'direct' ? `space:${space}` : `project:${id}`

export function createPlaceCare({ store, history, places, onFollowed }: Parts): PlaceCare {
  const followed = new Map<string, OpenedPlace>()
  const following = new Map<string, { root: string; rules: string; task: Promise<void> }>()

  const rules: PlaceCare['rules'] = async (workspace, space) => {
    const changed = (await store.tree.fileRules(workspace, space)) as Partial<FileRules> | null
    return { ...DEFAULT_FILE_RULES, ...changed }
  }

  const take = async (opened: OpenedPlace, now: FileRules): Promise<void> => {
    const { key, place, project } = opened
    const { workspace, space } = project
    const owner = place.kind === 'direct' ? null : project.id
    const scope = place.layer ? ({ kind: 'layer', ...place.layer } as const) : ({ kind: 'tree' } as const)
    const of = await history()
    await of.open({ key, labels: { workspace, space, project: owner }, root: place.root, rules: now, scope })
    followed.set(key, opened)
    await onFollowed(opened, of)
  }

  return {
    async open(project) {
      const opened = { key: placeKey(project), project }
      if (project.place.kind === 'direct') return { ...opened, place: await directPlace(store, project) }
      const record = await recordOf(store, project)
      return { ...opened, place: await (await places()).open(record) }
    },
    async follow(opened) {
      const { key, place, project } = opened
      const now = await rules(project.workspace, project.space)
      const text = JSON.stringify(now)
      const known = following.get(key)
      if (!known || known.root !== place.root || known.rules !== text) {
        const task = take(opened, now)
        following.set(key, { root: place.root, rules: text, task })
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

/** The Space's own folder. */
async function directPlace(store: Store, { workspace, space: id }: Project): Promise<Place> {
  const space = (await store.tree.space(workspace, id)) as Space
  const folder = await absentAsNull(stat(space.folder)).catch((thrown) => {
    throw fileTrouble(`The folder ${space.folder} cannot be opened.`, thrown)
  })
  if (!folder?.isDirectory()) {
    throw new CarrelError(
      'gone',
      `The folder ${space.folder} is not there. Bring it back and prompt again, or make a Space for where it is now.`,
    )
  }
  const at = space.folder
  return {
    kind: 'direct',
    driver: 'the folder itself',
    path: at,
    root: at,
    enter: [],
    namespace: null,
    layer: null,
    outside: NOTHING_OUTSIDE,
  }
}

/** What its host opens the place of a project by. @throws unavailable while it is made, gone where it is no more (F8) */
export async function recordOf(store: Store, { id, workspace, name, place }: Project): Promise<PlaceRecord> {
  if (place.state === 'making')
    throw new CarrelError('unavailable', `The place of ${name} is being made: ${place.note ?? 'wait a moment'}.`)
  if (place.state === 'failed')
    throw new CarrelError('gone', `The place of ${name} could not be made: ${place.note} Make another project.`)
  const record = place.state === 'ready' ? await store.tree.placeRecord(workspace, id) : null
  // Written by the host of this node, in whatever version: what it cannot open it says itself.
  if (record !== null) return record as PlaceRecord
  throw new CarrelError(
    'gone',
    `The place of ${name} was taken away; its history is kept. \`carrel history\` shows it; make another project to go on.`,
  )
}
