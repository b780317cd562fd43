import { CarrelError } from '../../model/errors.ts'
import type { FilePath, FileState } from '../../model/history.ts'
import type { History } from './history.ts'
import type { Household, Place } from './place.ts'

type Reading = Pick<History, 'snapshots' | 'between' | 'changesBy' | 'pathHistory' | 'stateAt' | 'content' | 'pin'>

/** Questions to one place that are answered from its table. */
export function readings({ db }: Household, placeOf: (key: string) => Place): Reading {
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
      return place.past.stateAt(path, checked(place, n))
    },
    async content(key, path, n, maxBytes) {
      const place = placeOf(key)
      return contentOf(place, path, place.past.stateAt(path, checked(place, n)), maxBytes)
    },
    async pin(key, n, isPinned) {
      const place = placeOf(key)
      if (Number(pinned.run(isPinned ? 1 : 0, place.id, n).changes) === 0) throw noSnapshot(n)
    },
  }
}

/** Numbers up to the newest have a meaning, also where their snapshot was thinned out. */
function checked({ book }: Place, n: number | null): number {
  if (n === null) return book.newest
  if (n < 0 || n > book.newest) throw noSnapshot(n)
  return n
}

const noSnapshot = (n: number): CarrelError =>
  new CarrelError('not_found', `There is no snapshot ${n} in this place. Ask for its snapshots to see which there are.`)

/** @throws not_found, gone, too_large */
export function contentOf({ book }: Place, path: FilePath, state: FileState | null, maxBytes: number): Uint8Array {
  if (!state || state.kind === 'folder') {
    throw new CarrelError('not_found', `There was no file at ${path} in this snapshot.`)
  }
  if (state.size > maxBytes) {
    throw new CarrelError('too_large', `${path} had ${state.size} bytes; at most ${maxBytes} are given at once.`)
  }
  const bytes = book.bytes(state)
  if (bytes) return bytes
  throw new CarrelError(
    'gone',
    `The content of ${path} in this snapshot is no longer kept. Pin snapshots that you need for long.`,
  )
}
