import { folderState } from '../../host/folders.ts'
import type { History, PlaceSpec } from '../../host/history/history.ts'
import { NOTHING_OUTSIDE, type Place, type PlaceRecord, type Places } from '../../host/places/place.ts'
import { checkRoot, identityAt, type RootIdentity } from '../../host/root-folder.ts'
import { CarrelError } from '../../model/errors.ts'
import type { FileRules } from '../../model/files/conflicts.ts'
import { DEFAULT_FILE_RULES } from '../../model/files/file-rules.ts'
import { fileTrouble } from '../../model/files/file-trouble.ts'
import type { HistoryStatus } from '../../model/files/history.ts'
import type { SpaceId, WorkspaceId } from '../../model/ids.ts'
import type { Project, Space } from '../../model/tree.ts'
import { createLazy, type Lazy } from '../../primitives/lazy.ts'
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
  /**
   * Has the history follow the place. Finishes or undoes acts that a crash interrupted (F4). Safe to repeat. A place that
   * is opened to `read` writes into no log.
   */
  follow(opened: OpenedPlace, use: 'read' | 'work'): Promise<HistoryStatus>
  rules(workspace: WorkspaceId, space: SpaceId): Promise<FileRules>
  /** Tells whether the folder of a Space stands at its path: `missing` is also another folder or a link there. */
  standing(space: Pick<Space, 'id' | 'folder'>): Promise<'present' | 'missing'>
  /** Goes on with the folder that stands at the path of a place now. @throws gone without a folder */
  accept(opened: OpenedPlace): Promise<void>
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
  /** Called once for each place that is followed, before the first work in it. */
  readonly onWork: (opened: OpenedPlace, history: History) => Promise<void>
}

interface Following {
  readonly root: string
  readonly identity: RootIdentity | null
  readonly rules: string
  readonly frozen: boolean
  readonly task: Promise<void>
}

/** Whether the history must open a place anew. A folder that is missing changes nothing: it may come back. */
const isOther = (known: Following, now: Omit<Following, 'task'>): boolean =>
  known.root !== now.root ||
  known.rules !== now.rules ||
  known.frozen !== now.frozen ||
  (now.identity !== null && known.identity !== now.identity)

interface Placed extends Pick<Project, 'id' | 'space'> {
  readonly place: Pick<Project['place'], 'kind'>
}

/** The identity of no folder. */
const NONE: RootIdentity = ''

export const placeKey = ({ id, space, place }: Placed): string =>
  place.kind === 'direct' ? `space:${space}` : `project:${id}`

/** Calls `onWork` once for each place, and again where it failed or the place was forgotten. */
function createBeginnings(onWork: (opened: OpenedPlace) => Promise<void>) {
  const begun = new Map<string, Lazy<void>>()
  return {
    async of(opened: OpenedPlace): Promise<void> {
      const beginning = begun.get(opened.key) ?? createLazy(() => onWork(opened))
      begun.set(opened.key, beginning)
      await beginning.get()
    },
    forget: (key: string) => void begun.delete(key),
  }
}

export function createProjectPlaces({ store, history, places, pause, onWork }: Parts): ProjectPlaces {
  const followed = new Map<string, OpenedPlace>()
  const following = new Map<string, Following>()
  const roots = createRoots()

  const rules = rulesIn(store)
  const beginnings = createBeginnings(async (opened) => onWork(opened, await history()))
  const begin = async (opened: OpenedPlace, current: FileRules, frozen: boolean): Promise<void> => {
    const { key, place } = opened
    const opening = await history()
    const found = identityAt(place.root)
    const { state } = await opening.open({ ...specOf(opened, current), frozen })
    roots.judged(key, found, state !== 'missing')
    followed.set(key, opened)
  }

  return {
    async open(project) {
      const key = placeKey(project)
      if (pause.reason) return { key, project, place: unopened(project) }
      const openOwn = async () => (await places()).open(await recordOf(store, project))
      const place = await (project.place.kind === 'direct' ? directPlace(store, project) : openOwn())
      // A view lies in a namespace of its own, where nothing can take its place.
      if (place.namespace !== null) return { key, project, place }
      roots.found(key, identityAt(place.root))
      return { key, project, place: { ...place, identity: () => roots.of(key) } }
    },
    async follow(opened, use) {
      const { key, place, project } = opened
      const current = await rules(project.workspace, project.space)
      const known = following.get(key)
      const frozen = pause.reason !== null
      const now = { root: place.root, identity: identityAt(place.root), rules: JSON.stringify(current), frozen }
      if (!known || isOther(known, now)) {
        const task = begin(opened, current, frozen)
        following.set(key, { ...now, task })
        task.catch(() => following.delete(key))
      }
      await following.get(key)?.task
      if (use === 'work' && !frozen) await beginnings.of(opened)
      return await (await history()).status(key)
    },
    rules,
    standing: ({ id, folder }) => folderState(folder, roots.of(`space:${id}`)),
    async accept({ key, place }) {
      const found = identityAt(place.root)
      await (await history()).accept(key)
      roots.judged(key, found, true)
    },
    followed,
    forget(which) {
      for (const [key, { project }] of followed) {
        if ('key' in which ? key !== which.key : project.space !== which.space) continue
        following.delete(key)
        followed.delete(key)
        beginnings.forget(key)
      }
    },
  }
}

const rulesIn =
  (store: Store): ProjectPlaces['rules'] =>
  async (workspace, space) => {
    const changed = (await store.tree.fileRules(workspace, space)) as Partial<FileRules> | null
    return { ...DEFAULT_FILE_RULES, ...changed }
  }

function specOf({ key, place, project }: OpenedPlace, rules: FileRules): PlaceSpec {
  const { workspace, space } = project
  const owner = place.kind === 'direct' ? null : project.id
  const scope = place.layer ? ({ kind: 'layer', ...place.layer } as const) : ({ kind: 'tree' } as const)
  return { key, labels: { workspace, space, project: owner }, root: place.root, rules, scope }
}

/** The folders that places work in, by key of the place. */
function createRoots() {
  const roots = new Map<string, RootIdentity | null>()
  return {
    /** Returns the identity that the folder of a place must have; null accepts any folder. */
    of: (key: string): RootIdentity | null => roots.get(key) ?? null,
    /** Notes the folder at the first opening, which the history has not judged yet. */
    found(key: string, identity: RootIdentity | null): void {
      if (!roots.has(key)) roots.set(key, identity)
    },
    /** Notes whether the history accepts a folder. A known folder may come back after another one was refused. */
    judged(key: string, identity: RootIdentity | null, accepted: boolean): void {
      if (accepted) roots.set(key, identity)
      else if (roots.get(key) === identity) roots.set(key, NONE)
    },
  }
}

async function directPlace(store: Store, { workspace, space: id }: Project): Promise<Place> {
  const space = (await store.tree.space(workspace, id)) as Space
  try {
    checkRoot(space.folder, null)
  } catch (thrown) {
    throw fileTrouble(`The folder ${space.folder} cannot be opened.`, thrown)
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
