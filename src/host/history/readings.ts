import { CarrelError } from '../../model/errors.ts'
import { FilePath, type FileState, type Gap } from '../../model/files/history.ts'
import { createPacer } from '../../primitives/pacer.ts'
import type { History } from './history.ts'
import { comparePaths, namesIn } from './log/paths.ts'
import type { OpenPlace, SharedParts } from './place.ts'
import { statsAt } from './scan/inspect.ts'
import { diffOf } from './undo/diff.ts'
import { patchOf } from './undo/patch.ts'

type Reading = Pick<
  History,
  | 'snapshots'
  | 'between'
  | 'changesBy'
  | 'pathHistory'
  | 'stateAt'
  | 'content'
  | 'diff'
  | 'patch'
  | 'gaps'
  | 'gapAt'
  | 'pin'
>

/** Reads of one place that its table answers. */
export function readings({ db }: SharedParts, placeOf: (key: string) => OpenPlace): Reading {
  const pinned = db.prepare('update snapshots set pinned = ? where place = ? and n = ? and kept = 1')
  return {
    snapshots: async (key, filter) => placeOf(key).past.snapshots(filter),
    async between(key, { from, to, after, limit }) {
      const place = placeOf(key)
      return place.past.between(checked(place, from), checked(place, to), { after, limit })
    },
    changesBy: async (key, by) => placeOf(key).past.changesBy(by),
    pathHistory: async (key, path, page) => placeOf(key).past.changesOf(path, page),
    async stateAt(key, path, n) {
      const place = placeOf(key)
      return place.past.stateAt(inside(path), checked(place, n))
    },
    async content(key, path, n, maxBytes) {
      const place = placeOf(key)
      return contentOf(place, path, place.past.stateAt(inside(path), checked(place, n)), maxBytes)
    },
    async diff(key, path, { from, to }) {
      const place = placeOf(key)
      return diffOf(place.book, inside(path), {
        from: checked(place, from),
        to: to === null ? null : checked(place, to),
      })
    },
    async patch(key, { from, to }) {
      const place = placeOf(key)
      return patchOf(place.book, place.book.between(checked(place, from), checked(place, to)))
    },
    gapAt: async (key, path) => placeOf(key).book.gapAt(path),
    async gaps(key, limit) {
      const place = placeOf(key)
      const counted: Gap[] = []
      for (const gap of place.gaps.list()) counted.push(await weighed(place.spec.root, gap))
      const bySize = (a: Gap, b: Gap) => (b.bytes ?? 0) - (a.bytes ?? 0) || comparePaths(a.path, b.path)
      return counted.sort(bySize).slice(0, limit)
    },
    async pin(key, n, isPinned) {
      const place = placeOf(key)
      if (Number(pinned.run(isPinned ? 1 : 0, place.id, n).changes) === 0) throw noSnapshot(n)
    },
  }
}

/** Counts the files and bytes in an excluded folder. */
async function weighed(root: string, gap: Gap): Promise<Gap> {
  if (!statsAt(root, gap.path)?.isDirectory()) return gap
  const breathe = createPacer()
  let files = 0
  let bytes = 0
  const folders = [gap.path]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of readable(root, folder)) {
      const path = `${folder}/${name}`
      const stats = statsAt(root, path)
      if (stats?.isDirectory()) folders.push(path)
      else if (stats) files += 1
      bytes += stats?.isFile() ? stats.size : 0
    }
    await breathe()
  }
  return { ...gap, files, bytes }
}

function readable(root: string, folder: FilePath): string[] {
  try {
    return namesIn(root, folder)
  } catch {
    // The folder is gone or unreadable: its gap stays without numbers.
    return []
  }
}

/** Checks a snapshot number. Every number up to the newest is valid, also of a snapshot that was thinned out. */
function checked({ book }: OpenPlace, n: number | null): number {
  if (n === null) return book.newest
  if (n < 0 || n > book.newest) throw noSnapshot(n)
  return n
}

/** Checks a path for reads that also reach the disk: it must not lead out of the place. */
function inside(path: FilePath): FilePath {
  if (FilePath.safeParse(path).success) return path
  const text = `${JSON.stringify(path)} is not a path inside a place. Give it relative to the place, without . and ..`
  throw new CarrelError('bad_input', text)
}

const noSnapshot = (n: number): CarrelError =>
  new CarrelError('not_found', `This place has no snapshot ${n}. List its snapshots to see which exist.`)

/** @throws not_found, gone, too_large */
function contentOf({ book }: OpenPlace, path: FilePath, state: FileState | null, maxBytes: number): Uint8Array {
  if (!state || state.kind === 'folder')
    throw new CarrelError('not_found', `There was no file at ${path} in this snapshot.`)
  if (state.uncovered)
    throw new CarrelError('gone', `The history did not cover ${path} in this snapshot, so its content is not known.`)
  if (state.size > maxBytes)
    throw new CarrelError('too_large', `${path} had ${state.size} bytes, more than the limit of ${maxBytes}.`)
  const bytes = book.bytes(state)
  if (bytes) return bytes
  const text = `The content of ${path} in this snapshot is no longer kept. Pin snapshots that you need for long.`
  throw new CarrelError('gone', text)
}
