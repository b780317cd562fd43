import type { Conflict, FilePath, FileState, PlanEntry } from '../../model/history.ts'
import type { Book } from './book.ts'
import { comparePaths, foldersAbove, namesIn } from './paths.ts'
import { FOLDER, isFolder } from './versions.ts'
import type { Wish } from './wishes.ts'

/** A wish that fits into the tree, or why it does not. */
export interface Shaped {
  readonly wish: Wish
  readonly hindrance: string | null
}

/** Makes of wishes for single paths a tree that can stand: folders that are needed come, those that hold something stay. */
export function shape(book: Book, wishes: readonly Wish[]): Shaped[] {
  const kept = keepFolders(book, wishes)
  const tree = new Map(kept.map(({ wish }) => [wish.path, wish]))
  const made = neededFolders(book, tree)
  for (const wish of made) tree.set(wish.path, wish)
  const others = kept.filter(({ wish }) => tree.get(wish.path) === wish)
  return [...others, ...made.map((wish) => ({ wish, hindrance: null }))].map(({ wish, hindrance }) => ({
    wish,
    hindrance: hindrance ?? obstacle(book, wish, tree),
  }))
}

/** A folder goes only when it is empty then: the disk is asked, because the history does not have what is left out. */
function keepFolders(book: Book, wishes: readonly Wish[]): Shaped[] {
  const going = new Set(wishes.filter(({ next }) => next.state === null).map(({ path }) => path))
  const holding = new Set(wishes.filter(({ next }) => next.state !== null).flatMap(({ path }) => foldersAbove(path)))
  const holds = (folder: FilePath) =>
    holding.has(folder) || namesOnDisk(book.root, folder).some((name) => !going.has(`${folder}/${name}`))
  // From below, so that a folder that stays keeps those above it.
  return wishes
    .toSorted((a, b) => comparePaths(b.path, a.path))
    .flatMap((wish): Shaped[] => {
      const { path, next } = wish
      const leaves = isFolder(book.stateAt(path, book.newest)) && !isFolder(next.state)
      if (!leaves || !holds(path)) return [{ wish, hindrance: null }]
      if (next.state !== null) return [{ wish, hindrance: 'the folder holds what is not taken away' }]
      going.delete(path)
      return []
    })
}

function namesOnDisk(root: string, folder: FilePath): string[] {
  try {
    return namesIn(root, folder)
  } catch {
    // Gone or changed since the look: carrying out will see it.
    return []
  }
}

/** Also where a wish was that nothing should stand there: what speaks against that speaks against this. */
function neededFolders(book: Book, tree: ReadonlyMap<FilePath, Wish>): Wish[] {
  const above = [...tree.values()].filter(({ next }) => next.state !== null).flatMap(({ path }) => foldersAbove(path))
  return [...new Set(above)]
    .filter((folder) => stateThen(book, tree, folder) === null)
    .map((path) => {
      const before = book.lastChange(path)?.before ?? null
      const state: FileState = { ...FOLDER, mode: before && isFolder(before) ? before.mode : 0o755 }
      const { conflict = 0, lost = null, among = [] } = tree.get(path) ?? {}
      return { path, next: { state, bytes: () => null }, merged: false, conflict, lost, among }
    })
}

/** Never through a link, and nothing lies in a file. */
function obstacle(book: Book, { path, next }: Wish, tree: ReadonlyMap<FilePath, Wish>): string | null {
  if (next.state === null) return null
  const folder = foldersAbove(path).find((one) => !isFolder(stateThen(book, tree, one)))
  return folder === undefined ? null : `"${folder}" is no folder now`
}

const stateThen = (book: Book, tree: ReadonlyMap<FilePath, Wish>, path: FilePath): FileState | null => {
  const wish = tree.get(path)
  return wish ? wish.next.state : book.stateAt(path, book.newest)
}

/**
 * What speaks against one path speaks against those that hang on it: all that lies in a folder that becomes a file, or
 * the other way; and what was moved and cannot go back to where it was, which would be gone from both.
 */
export function joinFates(entries: readonly PlanEntry[]): PlanEntry[] {
  const reasons = new Map<FilePath, Conflict[]>()
  const join = (group: readonly PlanEntry[]) => {
    const all = group.flatMap(({ conflicts }) => conflicts)
    for (const one of group) if (one.conflicts.length === 0 && all.length > 0) reasons.set(one.path, all)
  }
  for (const { path, now, next } of entries) {
    if (now === null || next === null || isFolder(now) === isFolder(next)) continue
    join(entries.filter((one) => one.path === path || one.path.startsWith(`${path}/`)))
  }
  const stuck = Map.groupBy(
    entries.filter(({ conflicts, next }) => conflicts.length > 0 && next !== null && !isFolder(next)),
    ({ next }) => next?.digest,
  )
  for (const entry of entries) {
    const origin = entry.how === 'delete' && entry.now?.digest ? stuck.get(entry.now.digest)?.[0] : undefined
    if (origin) join([entry, origin])
  }
  return entries.map((entry) => ({ ...entry, conflicts: reasons.get(entry.path) ?? entry.conflicts }))
}
