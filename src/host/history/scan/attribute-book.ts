import type { DatabaseSync } from 'node:sqlite'
import type { FilePath } from '../../../model/files/history.ts'
import { type Attributes, attributesAt, hasOwnAttributes } from '../../attributes.ts'
import { diskPath, pathBytes, pathOf } from '../log/paths.ts'
import { statsAt } from './inspect.ts'

/**
 * Last seen owner, group and extended attributes of the paths of one place, so that a path that was deleted comes back
 * with them. They are no part of a state: a change of them alone is no change of the path.
 */
export interface AttributeBook {
  /** Notes the present attributes of existing paths. */
  note(paths: Iterable<FilePath>): void
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
  return {
    note(paths) {
      const owner = statsAt(root, '')
      if (!owner) return
      for (const path of paths) {
        const stats = statsAt(root, path)
        if (!stats) continue
        const spot = diskPath(root, path)
        known ??= new Set((list.all(place) as { path: Uint8Array }[]).map((row) => pathOf(row.path)))
        // Most paths have nothing of their own, and cost no row.
        if (hasOwnAttributes(spot, stats, owner)) {
          const text = JSON.stringify(attributesAt(spot, stats))
          if (known.has(path) && get.get(place, pathBytes(path))?.attributes === text) continue
          set.run(place, pathBytes(path), text)
          known.add(path)
        } else if (known.delete(path)) remove.run(place, pathBytes(path))
      }
    },
    of(path) {
      const row = get.get(place, pathBytes(path))
      return row ? (JSON.parse(String(row.attributes)) as Attributes) : null
    },
    forget() {
      known = null
    },
  }
}
