import { chmod, chown, lstat, mkdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { asCarrelError, CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { type Bases, createBases } from './bases.ts'
import type { Driver } from './drivers.ts'
import { treeOf } from './freezer.ts'
import { type MakePlace, NOTHING_OUTSIDE, type Place, type PlaceRecord, type PlaceRisks } from './place.ts'
import { changedIn } from './upper.ts'
import { findView, mountView, PARTS, type View } from './view.ts'

type OverlayRecord = PlaceRecord & { readonly overlay: NonNullable<PlaceRecord['overlay']> }

export type Overlays = ReturnType<typeof createOverlays>

/** Returns the folder of all frozen folders below `parent`. */
export const basesOf = (parent: string) => join(parent, 'bases')
/** Name of the list of a copy's original content. */
const LIST = 'copied'
const MOST = 200

export function createOverlays(path: string) {
  const bases = createBases()
  const views: Views = { path, byFolder: new Map() }
  return {
    make: (ask: MakePlace, folder: string, driver: Driver): Promise<PlaceRecord> =>
      makeOverlay(bases, ask, folder, driver),
    open: (record: PlaceRecord): Promise<Place> => openOverlay(views, overlayOf(record)),
    async removalRisks(given: PlaceRecord): Promise<PlaceRisks> {
      const record = overlayOf(given)
      const clean = { missing: false, changed: [], unpushed: 0, underway: null }
      const missing = await checkParts(record).then(
        () => false,
        (thrown) => {
          if (asCarrelError(thrown).code !== 'gone') throw thrown
          return true
        },
      )
      if (missing) return { ...clean, missing }
      const { layer, root } = await openOverlay(views, record)
      const changed = layer
        ? (await changedIn({ ...layer, root })).map((change) => change.path)
        : await bases.changedInCopy(record.path, join(record.overlay.folder, LIST))
      return { ...clean, changed: changed.slice(0, MOST) }
    },
    /** Releases a view; its files stay. Safe to repeat. */
    async release(given: PlaceRecord): Promise<void> {
      const { folder } = overlayOf(given).overlay
      const view = views.byFolder.get(folder)
      views.byFolder.delete(folder)
      await view?.then(
        (one) => one.close(),
        () => undefined,
      )
    },
    async close(): Promise<void> {
      const all = [...views.byFolder.values()]
      views.byFolder.clear()
      await Promise.allSettled(all.map(async (view) => (await view).close()))
    },
  }
}

/** Mounted views by the folder of their parts; `path` is the PATH for programs. */
interface Views {
  readonly path: string
  readonly byFolder: Map<string, Promise<View>>
}

async function makeOverlay(bases: Bases, ask: MakePlace, folder: string, driver: Driver): Promise<PlaceRecord> {
  const source = await realpath(ask.source)
  if (driver.name === 'overlayfs') {
    const { folder: base, notes } = await bases.freeze(source, basesOf(dirname(folder)), ask)
    await makeParts(folder, treeOf(base))
    const overlay = { folder, base, rights: driver.rights }
    return { ...recordOf(join(folder, PARTS.appears, basename(source)), driver), overlay, notes }
  }
  const copy = join(folder, basename(source))
  const { notes } = await bases.copy(source, { copy, list: join(folder, LIST) }, ask)
  return { ...recordOf(copy, driver), overlay: { folder, base: null, rights: null }, notes }
}

async function openOverlay(views: Views, record: OverlayRecord): Promise<Place> {
  await checkParts(record)
  const { kind, driver, path } = record
  const { base, folder } = record.overlay
  const shared = { kind, driver, path, outside: NOTHING_OUTSIDE }
  if (base === null) return { ...shared, root: path, enter: [], namespace: null, layer: null }
  const { root, enter, namespace } = await viewOf(views, record)
  return { ...shared, root, enter, namespace, layer: { lower: treeOf(base), upper: join(folder, PARTS.upper) } }
}

/** Shares one mount among all users of a view: two mounts over one upper folder would not see each other's writes. */
async function viewOf(views: Views, record: OverlayRecord): Promise<View> {
  const { byFolder, path } = views
  const { folder } = record.overlay
  const standing = byFolder.get(folder)
  if (standing && (await standing.then(alive, () => false))) return await standing
  // Another caller may have begun meanwhile.
  if (byFolder.get(folder) !== standing) return await viewOf(views, record)
  const view = mount(record, path)
  byFolder.set(folder, view)
  view.catch(() => byFolder.get(folder) === view && byFolder.delete(folder))
  return await view
}

function overlayOf(record: PlaceRecord): OverlayRecord {
  const { overlay } = record
  if (overlay) return { ...record, overlay }
  throw new CarrelError('internal', `The place ${record.path} is an overlay without parts.`)
}

const recordOf = (path: string, driver: Driver) => ({ kind: 'overlay' as const, path, driver: driver.name, git: null })

async function makeParts(folder: string, lower: string): Promise<void> {
  for (const part of Object.values(PARTS)) await mkdir(join(folder, part), { mode: 0o755 })
  // The upper folder becomes the view's own folder, so it has the same mode and owner.
  const { mode, uid, gid } = await stat(lower)
  const upper = join(folder, PARTS.upper)
  if (process.getuid?.() === 0) await chown(upper, uid, gid)
  await chmod(upper, mode & 0o7777)
}

/** @throws gone when a part is missing: a view of some parts would be another folder (F8) */
async function checkParts({ path, overlay: { folder, base } }: OverlayRecord): Promise<void> {
  const needed = base === null ? [path] : [join(folder, PARTS.upper), join(folder, PARTS.work), treeOf(base)]
  for (const part of needed) {
    const found = await absentAsNull(lstat(part))
    if (found?.isDirectory()) continue
    const text = `The working copy ${path} cannot be opened: its part ${part} is missing. Restore it from a backup, or make a new project; captured files are in its history.`
    throw new CarrelError('gone', text)
  }
}

async function mount({ path: seen, overlay }: OverlayRecord, path: string): Promise<View> {
  const { folder, base, rights } = overlay
  try {
    const lower = treeOf(base ?? '')
    const spec = { folder, name: basename(seen), lower, rights: rights ?? 'own', path }
    const view = (await findView(spec)) ?? (await mountView(spec))
    if (view.path === seen && (await alive(view))) return view
    await view.close()
    throw new Error(`the view appeared at ${view.path}`)
  } catch (thrown) {
    const why = messageOf(thrown)
    const text = `The view ${seen} could not be mounted (${why}). Run Carrel as the user and on the machine that made it; nothing runs in another folder instead.`
    throw new CarrelError('unavailable', text, undefined, thrown)
  }
}

/** Whether the view is mounted, rather than just its empty mount point. */
async function alive({ root }: View): Promise<boolean> {
  const [view, around] = await Promise.all([root, dirname(root)].map((path) => lstat(path).catch(() => null)))
  return view?.isDirectory() === true && view.dev !== around?.dev
}
