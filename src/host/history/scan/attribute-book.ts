import type { DatabaseSync } from 'node:sqlite'
import type { FilePath } from '../../../model/files/history.ts'
import { type Attributes, attributesAt, hasExtended, hasOwnAttributes } from '../../attributes.ts'
import { diskPath, pathBytes, pathOf } from '../log/paths.ts'
import { type SeenStats, statsAt } from './inspect.ts'

/**
 * Last seen owner, group and extended attributes of the paths of one place, so that a path that was deleted comes back
 * with them. They are no part of a state: a change of them alone is no change of the path.
 */
export interface AttributeBook {
  /** Notes the present attributes of existing paths. */
  note(paths: Iterable<FilePath>): void
  /** The same where the owner and group of a file were seen just now. */
  noteSeen(found: Iterable<readonly [FilePath, Pick<SeenStats, 'uid' | 'gid'> | null]>): void
  /** Returns null for a path without any of its own: it belongs to the owner of the place. */
  of(path: FilePath): Attributes | null
  /** Drops the memory, which may be wrong after a rollback. */
  forget(): void
}

export function openAttributeBook(db: DatabaseSync, place: number, root: string): AttributeBook {
  const list = db.prepare('select path from attributes where place = ?')
  const get = db.prepare('select attributes from attributes where place = ? and path = ?')
  const set = db.prepare('insert or replace into attributes (place, path, attributes) values (?, ?, ?)')
  const remove = db.prepare('delete from attributes where place = ? and path = ?')
  let known: Set<FilePath> | null = null
  const noteSeen: AttributeBook['noteSeen'] = (found) => {
    const owner = statsAt(root, '')
    if (!owner) return
    for (const [path, seen] of found) {
      const spot = diskPath(root, path)
      known ??= new Set((list.all(place) as { path: Uint8Array }[]).map((row) => pathOf(row.path)))
      // Most paths have nothing of their own, and cost no row.
      const isPlain = seen?.uid === owner.uid && seen.gid === owner.gid && !hasExtended(spot)
      const stats = isPlain ? undefined : statsAt(root, path)
      if (stats && hasOwnAttributes(spot, stats, owner)) {
        const text = JSON.stringify(attributesAt(spot, stats))
        if (known.has(path) && get.get(place, pathBytes(path))?.attributes === text) continue
        set.run(place, pathBytes(path), text)
        known.add(path)
      } else if ((isPlain || stats) && known.delete(path)) remove.run(place, pathBytes(path))
    }
  }
  return {
    note: (paths) => noteSeen([...paths].map((path) => [path, null] as const)),
    noteSeen,
    of(path) {
      const row = get.get(place, pathBytes(path))
      return row ? (JSON.parse(String(row.attributes)) as Attributes) : null
    },
    forget() {
      known = null
    },
  }
}
