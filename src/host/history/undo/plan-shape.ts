import type { Conflict, FilePath, FileState, PlanEntry } from '../../../model/files/history.ts'
import type { Book } from '../log/book.ts'
import { comparePaths, foldersAbove, namesIn } from '../log/paths.ts'
import { FOLDER, isFolder } from '../log/versions.ts'
import type { Proposal } from './proposals.ts'

/** Proposal that fits into the tree, or the reason why it does not. */
export interface Shaped {
  readonly proposal: Proposal
  readonly obstacle: string | null
}

/** Makes proposals a consistent tree: adds needed folders and keeps folders that are not empty. */
export function shape(book: Book, proposals: readonly Proposal[]): Shaped[] {
  const kept = keepFolders(book, proposals)
  const tree = new Map(kept.map(({ proposal }) => [proposal.path, proposal]))
  const made = neededFolders(book, tree)
  for (const proposal of made) tree.set(proposal.path, proposal)
  const others = kept.filter(({ proposal }) => tree.get(proposal.path) === proposal)
  return [...others, ...made.map((proposal) => ({ proposal, obstacle: null }))].map(({ proposal, obstacle }) => ({
    proposal,
    obstacle: obstacle ?? obstacleOf(book, proposal, tree),
  }))
}

/** Keeps folders that would not be empty. The disk decides, because the history lacks ignored files. */
function keepFolders(book: Book, proposals: readonly Proposal[]): Shaped[] {
  const going = new Set(proposals.filter(({ next }) => next.state === null).map(({ path }) => path))
  const holding = new Set(proposals.filter(({ next }) => next.state !== null).flatMap(({ path }) => foldersAbove(path)))
  const holds = (folder: FilePath) =>
    holding.has(folder) || namesOnDisk(book.root, folder).some((name) => !going.has(`${folder}/${name}`))
  // Goes from below, so that a folder that stays keeps those above it.
  return proposals
    .toSorted((a, b) => comparePaths(b.path, a.path))
    .flatMap((proposal): Shaped[] => {
      const { path, next } = proposal
      const leaves = isFolder(book.stateAt(path, book.newest)) && !isFolder(next.state)
      if (!leaves || !holds(path)) return [{ proposal, obstacle: null }]
      if (next.state !== null) return [{ proposal, obstacle: 'the folder is not empty' }]
      going.delete(path)
      return []
    })
}

function namesOnDisk(root: string, folder: FilePath): string[] {
  try {
    return namesIn(root, folder)
  } catch {
    // The folder is gone or changed since the scan: the apply will notice it.
    return []
  }
}

/** Returns the folders that must be made, also where a proposal removes them; such a folder inherits its conflicts. */
function neededFolders(book: Book, tree: ReadonlyMap<FilePath, Proposal>): Proposal[] {
  const above = [...tree.values()].filter(({ next }) => next.state !== null).flatMap(({ path }) => foldersAbove(path))
  return [...new Set(above)]
    .filter((folder) => stateThen(book, tree, folder) === null)
    .map((path) => {
      const before = book.lastChange(path)?.before ?? null
      const state: FileState = { ...FOLDER, mode: before && isFolder(before) ? before.mode : 0o755 }
      const { conflict = 0, lost = null, among = [], unwatched = [] } = tree.get(path) ?? {}
      const next = { state, bytes: () => null }
      return { path, next, merged: false, conflict, lost, among, unwatched, unseen: false, changes: () => [] }
    })
}

/** Returns why a path cannot be written: it would go through a link or lie inside a file. */
function obstacleOf(book: Book, { path, next }: Proposal, tree: ReadonlyMap<FilePath, Proposal>): string | null {
  if (next.state === null) return null
  const folder = foldersAbove(path).find((one) => !isFolder(stateThen(book, tree, one)))
  return folder === undefined ? null : `"${folder}" is not a folder now`
}

const stateThen = (book: Book, tree: ReadonlyMap<FilePath, Proposal>, path: FilePath): FileState | null => {
  const proposal = tree.get(path)
  return proposal ? proposal.next.state : book.stateAt(path, book.newest)
}

/**
 * Spreads the conflicts of one path to paths that depend on it. A folder that becomes a file depends on its whole
 * content, and the reverse. A moved file that cannot return to its origin would be lost in both places.
 */
export function spreadConflicts(entries: readonly PlanEntry[]): PlanEntry[] {
  const reasons = new Map<FilePath, readonly Conflict[]>(entries.map(({ path, conflicts }) => [path, conflicts]))
  const conflictsAt = ({ path }: PlanEntry) => reasons.get(path) ?? []
  const join = (group: readonly PlanEntry[]): boolean => {
    const all = group.flatMap(conflictsAt)
    const free = all.length === 0 ? [] : group.filter((one) => conflictsAt(one).length === 0)
    for (const { path } of free) reasons.set(path, [...new Set(all)])
    return free.length > 0
  }
  const turned = entries.filter(({ now, next }) => now !== null && next !== null && isFolder(now) !== isFolder(next))
  const groups = turned.map(({ path }) => entries.filter((one) => one.path === path || one.path.startsWith(`${path}/`)))
  // Files that changed places in a circle: one that is stuck holds all of them.
  for (let spreads = true; spreads; ) {
    const stuck = Map.groupBy(
      entries.filter((entry) => entry.next !== null && !isFolder(entry.next) && conflictsAt(entry).length > 0),
      ({ next }) => next?.digest,
    )
    const moved = entries.map((entry) => [entry, ...(stuck.get(lostDigest(entry)) ?? []).slice(0, 1)])
    spreads = [...groups, ...moved].filter(join).length > 0
  }
  return entries.map((entry) => ({ ...entry, conflicts: [...conflictsAt(entry)] }))
}

/** Digest of the content that this entry removes from its path; undefined for none. */
const lostDigest = ({ now, next }: PlanEntry): string | undefined =>
  now?.digest && now.size > 0 && now.digest !== next?.digest ? now.digest : undefined
