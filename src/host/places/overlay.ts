import { chmod, chown, lstat, mkdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { asCarrelError, CarrelError } from '../../model/errors.ts'
import { absentAsNull } from '../../primitives/absent-as-null.ts'
import { messageOf } from '../../primitives/message-of.ts'
import { createBases } from './bases.ts'
import type { Driver } from './drivers.ts'
import { treeOf } from './freezer.ts'
import { type MakePlace, NOTHING_OUTSIDE, type Place, type PlaceRecord, type PlaceRisks } from './place.ts'
import { changedIn } from './upper.ts'
import { findView, mountView, PARTS, type View } from './view.ts'

type OverlayRecord = PlaceRecord & { readonly overlay: NonNullable<PlaceRecord['overlay']> }

export interface Overlays {
  make(ask: MakePlace, folder: string, driver: Driver): Promise<PlaceRecord>
  open(record: PlaceRecord): Promise<Place>
  risks(record: PlaceRecord): Promise<PlaceRisks>
  /** Lets a view go; its files stay. Safe to repeat. */
  release(record: PlaceRecord): Promise<void>
  close(): Promise<void>
}

/** Where the frozen folders of all views below `parent` are. */
export const basesOf = (parent: string) => join(parent, 'bases')
/** Of a copy: what was in it when it was made. */
const LIST = 'copied'
const MOST = 200

export function createOverlays(path: string): Overlays {
  const bases = createBases()
  const views = new Map<string, Promise<View>>()

  /** One mount for all who open a view: two of them over one upper folder would not see each other. */
  const viewOf = async (record: OverlayRecord): Promise<View> => {
    const { folder } = record.overlay
    const standing = views.get(folder)
    if (standing && (await standing.then(alive, () => false))) return await standing
    // Somebody else may have begun meanwhile.
    if (views.get(folder) !== standing) return await viewOf(record)
    const view = mount(record, path)
    views.set(folder, view)
    view.catch(() => views.get(folder) === view && views.delete(folder))
    return await view
  }

  const open: Overlays['open'] = async (given) => {
    const record = overlayOf(given)
    const { kind, driver } = record
    await checkParts(record)
    const { base, folder } = record.overlay
    if (base === null)
      return {
        kind,
        driver,
        path: record.path,
        root: record.path,
        enter: [],
        namespace: null,
        layer: null,
        outside: NOTHING_OUTSIDE,
      }
    const { root, enter, namespace } = await viewOf(record)
    const layer = { lower: treeOf(base), upper: join(folder, PARTS.upper) }
    return { kind, driver, path: record.path, root, enter, namespace, layer, outside: NOTHING_OUTSIDE }
  }

  return {
    async make(ask, folder, driver) {
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
    },
    open,
    async risks(given) {
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
      const { layer, root } = await open(record)
      const changed = layer
        ? (await changedIn({ ...layer, root })).map((change) => change.path)
        : await bases.changedInCopy(record.path, join(record.overlay.folder, LIST))
      return { ...clean, changed: changed.slice(0, MOST) }
    },
    async release(given) {
      const { folder } = overlayOf(given).overlay
      const view = views.get(folder)
      views.delete(folder)
      await view?.then(
        (one) => one.close(),
        () => undefined,
      )
    },
    async close() {
      const all = [...views.values()]
      views.clear()
      await Promise.allSettled(all.map(async (view) => (await view).close()))
    },
  }
}

function overlayOf(record: PlaceRecord): OverlayRecord {
  const { overlay } = record
  if (overlay) return { ...record, overlay }
  throw new CarrelError('internal', `The place ${record.path} is called an overlay and has no parts.`)
}

const recordOf = (path: string, driver: Driver) => ({ kind: 'overlay' as const, path, driver: driver.name, git: null })

async function makeParts(folder: string, lower: string): Promise<void> {
  for (const part of Object.values(PARTS)) await mkdir(join(folder, part), { mode: 0o755 })
  // The view's own folder is the upper one.
  const { mode, uid, gid } = await stat(lower)
  const upper = join(folder, PARTS.upper)
  if (process.getuid?.() === 0) await chown(upper, uid, gid)
  await chmod(upper, mode & 0o7777)
}

/** @throws gone when a part is not there: a view of half the parts would be another folder (F8) */
async function checkParts({ path, overlay: { folder, base } }: OverlayRecord): Promise<void> {
  const needed = base === null ? [path] : [join(folder, PARTS.upper), join(folder, PARTS.work), treeOf(base)]
  for (const part of needed) {
    const found = await absentAsNull(lstat(part))
    if (found?.isDirectory()) continue
    const text = `The place ${path} cannot be opened: its part ${part} is not there. Bring it back from a backup, or make a new project; what was captured is in its history.`
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
    const text = `The view ${seen} could not be mounted (${why}). Run Carrel as the user and on the machine that made it; nothing runs elsewhere in its stead.`
    throw new CarrelError('unavailable', text, undefined, thrown)
  }
}

/** Mounted, and not just the empty folder that it would be mounted on. */
async function alive({ root }: View): Promise<boolean> {
  const [view, around] = await Promise.all([root, dirname(root)].map((path) => lstat(path).catch(() => null)))
  return view?.isDirectory() === true && view.dev !== around?.dev
}
